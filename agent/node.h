/*
 * The node daemon's shared state.
 *
 * Threads and what each may do:
 *  - main: the only one that changes the job table and talks to ferries;
 *  - poll: fetches the desired state; report: sends what is; ship: sends jobs'
 *    output; fetch: downloads bundles; sample: reads the meter.
 * `lock` guards everything below it. Main releases it around whatever may block;
 * entries stay where they are meanwhile, because only main removes them.
 * `changed` is broadcast when there is something to report or ship; `wake_fd`
 * wakes main.
 */
#ifndef DROVER_AGENT_NODE_H
#define DROVER_AGENT_NODE_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/desired.h"
#include "agent/energy.h"
#include "agent/entry.h"
#include "agent/meter/meter.h"
#include "common/http_client.h"
#include "common/isa.h"

#define FETCH_QUEUE 64

struct options {
	const char *name;
	const char *server;
	const char *ca, *token_file;
	const char *state_dir;
	const char *address;
	const char *profile;
	const char *meter;
	const char *sysfs_root;
	const char *powercap_root;
	enum isa isa;
	unsigned int cpus;
	unsigned int sample_ms;
	bool stop_jobs;
	bool check_config, list_meters;
};

struct node {
	struct options opt;
	struct profile profile;
	struct meter *meters[METERS_MAX]; /* the first is the node's; the others stand apart */
	size_t nmeters;
	char instance[33];
	/* The instances that were or may have been introduced from this state directory last:
	 * whoever ended between being taken and writing it down is the first. "": none. */
	char replaces[2][33];
	int lock_fd;       /* held while this agent lives: one agent a state directory */
	char jobs_dir[200];
	char bundles_dir[200];
	bool emulated;
	int wake_fd;
	atomic_bool stop;

	pthread_mutex_t introduce_lock;
	_Atomic uint64_t introduced_ns; /* when the last introduction succeeded; 0: never */
	_Atomic unsigned int heartbeat_ms;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t change; /* counts what a report should show at once */
	uint64_t scheduler_epoch;
	struct desired desired;
	bool have_desired;
	uint64_t acted_revision; /* of the desired state that the table is in accord with */
	struct desired fresh;    /* fetched, not yet taken over by main */
	bool have_fresh;
	struct entry **entries;
	size_t nentries;
	struct energy_ring *ring;
	char fetch[FETCH_QUEUE][SHA256_HEX]; /* wanted bundles */
	size_t nfetch;
	double cpu_percent; /* by the node's jobs over the last sample; 100 is one cpu */
};

/* Reads the state directory, opens the meter. node_free undoes it. */
int node_init(struct node *n, const struct options *o, struct err *e);
void node_free(struct node *n);

/* How the options say that meters are opened. */
struct meter_config node_meter_config(const struct node *n);

/* Runs until SIGTERM or SIGINT. */
int node_run(struct node *n, struct err *e);

/* Under the lock: something changed that a report should show at once. */
void node_changed(struct node *n);
void node_wake(struct node *n);

/* Waits (with the lock held) for node->changed at most ms. */
void node_wait(struct node *n, unsigned int ms);

/* Sleeps outside the lock, in pieces so that a stop is noticed. */
void node_pause(struct node *n, unsigned int ms);

/* Under the lock: the entry of that key, or NULL. */
struct entry *node_find(struct node *n, const struct job_key *k);

/*
 * Remembers a scheduler's epoch, durably if it rose. -ESTALE: it is lower than
 * one seen before, and the message it came with must be dropped.
 */
int node_scheduler_epoch(struct node *n, uint64_t epoch);

/* Thread bodies; arg is the node. */
void *poll_thread(void *arg);
void *report_thread(void *arg);
void *ship_thread(void *arg);
void *fetch_thread(void *arg);
void *sample_thread(void *arg);

/* The wall clock's time (ms) of a reading at now_ns, from the reading before; pure. */
int64_t sample_wall_ms(int64_t from_ms, uint64_t from_ns, uint64_t now_ns, int64_t wall_ms);

/* PUT /v1/agents/{node}, unless another thread has done so since since_ns. */
int node_introduce(struct node *n, struct http_client *c, uint64_t since_ns, struct err *e);

/* Main thread, lock held: bring the table to the desired state. */
void act_all(struct node *n);
/* Main thread, lock held: take everything new that the ferries say. */
void act_listen(struct node *n, struct entry *en);
/* Main thread, lock held: end all jobs (SIGKILL), for --stop-jobs. */
void act_stop_jobs(struct node *n);

/* A report's body, under the lock; *upto is what energy_ring_ack() takes once it is acknowledged.
 */
json_t *report_build(struct node *n, uint64_t seq, uint64_t *upto);

#endif
