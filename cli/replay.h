/* drover replay: what its files share. */
#ifndef DROVER_CLI_REPLAY_H
#define DROVER_CLI_REPLAY_H

#include <stdio.h>

#include "scheduler/replay/replay.h"

#define REPLAY_MAX_POLICIES 16
#define REPLAY_MAX_SETS     1000

struct replay_choice {
	const char *cluster;  /* name or path */
	const char *policies; /* names separated by commas; NULL: all */
	const char *baseline; /* POLICY@CLUSTER or POLICY; NULL: none */
	const char *csv;      /* directory */
	const char *form;
	struct policy_options options;
	double speed;
	uint64_t seed, jobs;
	uint64_t first_set, last_set; /* of the study: seeds */
	bool clamp, progress, json, study, live;
};

/* One run of a policy on a cluster; says how far it is on stderr if that was asked for. */
int replay_one(const struct replay_choice *o, const struct trace *t, const struct machines *m,
	       const struct policy *p, struct replay **out, struct err *e);

/* Names separated by commas, or NULL for all, into p (room for REPLAY_MAX_POLICIES); *n of them. */
int replay_policies(const char *names, const struct policy **p, size_t *n, struct err *e);

/* The heterogeneous-ISA study's experiment (docs/replay.md). Returns the exit status. */
int replay_study(const struct replay_choice *o, struct err *e);

/* Reads the trace as the options say. */
int replay_load(const struct replay_choice *o, const char *path, struct trace *t, struct err *e);

/* The trace's arrivals to a running scheduler (replay_live.c). Returns the exit status. */
struct cli;
int replay_live(const struct replay_choice *o, struct cli *cli, struct err *e);

/* Whether the user has asked to stop (SIGINT, SIGTERM). */
bool replay_interrupted(void);

#endif
