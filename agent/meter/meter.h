/*
 * Energy meters: one file each behind one table.
 *
 * A meter is read at intervals and says how much energy its scope used since the
 * last reading, how much of that is the idle machine's, and for how much of the
 * time it does not know (gap). What it doesn't know it never invents. Every
 * reading carries the meter's source, scope and kind.
 *
 * A meter is used by one thread.
 */
#ifndef DROVER_AGENT_METER_H
#define DROVER_AGENT_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/meter/profile.h"
#include "common/err.h"

struct meter_config {
	const struct profile *profile; /* borrowed for the meter's life */
	const char *powercap_root;     /* NULL: /sys/class/powercap */
};

/* What a meter is told at each reading. */
struct meter_input {
	uint64_t now_ns;      /* CLOCK_MONOTONIC */
	uint64_t busy_cpu_us; /* CPU time used by jobs and system since the last reading */
};

struct meter_delta {
	uint64_t energy_uj;
	uint64_t idle_uj;
	uint64_t gap_ms; /* part of the interval for which (part of) the energy is not known */
};

struct meter;

struct meter_ops {
	const char *type;   /* as given to --meter */
	const char *source; /* as reported */
	const char *kind;   /* measured, integrated or modelled */
	/* The CPU time of the whole machine is to be shared out, not only that of jobs and agent.
	 */
	bool whole_machine;
	int (*open)(struct meter *m, const struct meter_config *c, struct err *e);
	/* 1: *d filled; 0: this was the first reading; negative errno: nothing readable now. */
	int (*read)(struct meter *m, const struct meter_input *in, struct meter_delta *d,
		    struct err *e);
	void (*close)(struct meter *m);
};

struct meter {
	const struct meter_ops *ops;
	char name[64];
	char scope[32];
	void *priv;
};

extern const struct meter_ops meter_powercap;
extern const struct meter_ops meter_powercap_psys;
extern const struct meter_ops meter_model;

/*
 * Opens the meter of that type. "auto" takes powercap where it can be read,
 * otherwise the model; modelled_only (an emulated node) always takes the model
 * and refuses any other. *why receives a sentence on the choice (borrowed
 * static or in e's message). The meter is closed by meter_close.
 */
int meter_open(const char *type, bool modelled_only, const struct meter_config *c, struct meter **m,
	       struct err *e);
int meter_read(struct meter *m, const struct meter_input *in, struct meter_delta *d, struct err *e);
void meter_close(struct meter *m);

#endif
