/*
 * A cluster on this machine: what `drover up` started, kept in
 * <state>/cluster.json so that `drover down` ends exactly that.
 *
 * A process is known by its id and its start time (field 22 of /proc/PID/stat),
 * so that a number that was given to another process meanwhile is left alone.
 */
#ifndef DROVER_CLI_CLUSTER_H
#define DROVER_CLI_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

#define CLUSTER_MAX_PROCESSES 65
#define CLUSTER_PATH_MAX      256

struct cluster_process {
	char name[64];     /* "droverd" or the node's name */
	char isa[16];      /* of a node; "" of droverd */
	unsigned int cpus; /* of a node; 0: the agent's default */
	pid_t pid;
	uint64_t start_time; /* clock ticks since boot */
	char log[CLUSTER_PATH_MAX + 80];
};

struct cluster {
	char state_dir[CLUSTER_PATH_MAX];
	char url[128];
	struct cluster_process processes[CLUSTER_MAX_PROCESSES]; /* droverd first */
	size_t nprocesses;
};

/* dir as given, else $DROVER_CLUSTER, else "local" below the system's state directory. */
int cluster_dir(const char *given, char *out, size_t size, struct err *e);

/*
 * Held while a cluster is changed: several hooks may start and stop nodes at one
 * time. Returns a descriptor whose closing lets go of it.
 */
int cluster_lock(const char *state_dir, struct err *e);

/* The node of that name, or NULL. */
struct cluster_process *cluster_process_named(struct cluster *c, const char *name);

/* Reads state_dir/cluster.json (state_dir may be c->state_dir). -ENOENT: there is no cluster. */
int cluster_load(const char *state_dir, struct cluster *c, struct err *e);
int cluster_save(const struct cluster *c, struct err *e);
void cluster_forget(const struct cluster *c);

/* The address of the default cluster, if there is one. */
int cluster_url(char *out, size_t size);

/*
 * Starts a program of ours in a session of its own, stdin from /dev/null, output
 * appended to log; fills p. argv[0] is the program's name.
 */
int cluster_spawn(const char *name, const char *const *argv, const char *log,
		  struct cluster_process *p, struct err *e);

/* Whether that very process still runs (a zombie doesn't). */
bool cluster_alive(const struct cluster_process *p);

/* Sends SIGTERM, and SIGKILL after grace_ms, and waits for the end. True if it ended. */
bool cluster_end(const struct cluster_process *p, unsigned int grace_ms);

/* Ends jobs whose ferries outlived their agent, below state_dir. */
void cluster_end_ferries(const struct cluster *c);

/* Start time of a process; 0 when there is none or it is a zombie. */
uint64_t process_start_time(pid_t pid);

#endif
