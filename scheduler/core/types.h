/*
 * The scheduler's nouns: jobs, nodes, migrations, and the cluster that holds them.
 *
 * Plain structures without a clock, socket or file. Times are milliseconds
 * since the epoch and always come in with an event, so that live operation and
 * replay in virtual time drive the same functions.
 *
 * Invariants (core/check.c tests them):
 *  - a live job has at most one owner (job.node); its next owner is only ever
 *    named by its one active migration, and becomes the owner in the step that
 *    raises the epoch;
 *  - a job that is PENDING or over has no owner and no active migration;
 *  - node.used_cpus and used_memory_bytes are what its jobs and the migrations towards
 *    it have claimed;
 *  - a job starts only on a node that is up; one that sleeps or wakes has no jobs;
 *  - cluster.mw is the sum of its nodes' predicted power.
 */
#ifndef DROVER_SCHEDULER_CORE_TYPES_H
#define DROVER_SCHEDULER_CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/isa.h"
#include "scheduler/core/slab.h"
#include "scheduler/core/timer.h"
#include "scheduler/core/tree.h"

#define CORE_NAME_MAX   64
#define CORE_REASON_MAX 160
#define CORE_TEXT_MAX   256
#define CORE_SHA_SIZE   65

enum job_state {
	JOB_PENDING,
	JOB_RUNNING,
	JOB_MIGRATING,
	JOB_COMPLETED,
	JOB_FAILED,
	JOB_CANCELLED,
	JOB_TIMEOUT,
	JOB_NODE_FAIL,
	JOB_STATE_COUNT
};

enum migration_state {
	MIG_PREPARING, /* the destination starts a receiver */
	MIG_SENDING,   /* the source captures and sends */
	MIG_LOADED,    /* the destination holds the whole job, and may run it */
	MIG_COMMITTED, /* the destination owns the job */
	MIG_DONE,      /* it runs there and the source has let go */
	MIG_ABORTED,   /* ended before commit: the job stayed */
	MIG_STATE_COUNT
};

/* What people see of a node; follows from its liveness, power and drain. */
enum node_state {
	NODE_UNKNOWN,
	NODE_UP,
	NODE_DOWN,
	NODE_DRAINING, /* takes no jobs; its jobs leave */
	NODE_DRAINED,  /* empty; may be taken away */
	NODE_SLEEPING, /* told to sleep */
	NODE_ASLEEP,
	NODE_WAKING, /* told to wake; its agent is not ready yet */
	NODE_STATE_COUNT
};

enum liveness { ALIVE_UNKNOWN, ALIVE_UP, ALIVE_DOWN };
enum node_power { POWER_ON, POWER_SLEEPING, POWER_ASLEEP, POWER_WAKING, POWER_COUNT };

/* Why a job waits, as known from squeue. */
enum reason_code {
	WHY_NONE, /* it doesn't wait */
	WHY_PRIORITY,
	WHY_RESOURCES,
	WHY_DEPENDENCY,
	WHY_DEPENDENCY_NEVER,
	WHY_HELD,
	WHY_BEGIN,
	WHY_WAKING,
	WHY_CAP,
	WHY_ARRAY,
	WHY_NO_NODE,
	WHY_COUNT
};

enum dependency_type { DEP_AFTEROK, DEP_AFTERANY, DEP_TYPE_COUNT };
enum dependency_state { DEP_WAITS, DEP_MET, DEP_NEVER, DEP_STATE_COUNT };

struct dependency {
	uint64_t job;
	bool array; /* job is an array's id, and all its elements are meant */
	enum dependency_type type;
	enum dependency_state state; /* for jobs that are over: found out by the shell */
};

#define CORE_DEPENDENCIES_MAX 32

/* What an agent says of a job. */
enum seen_state {
	SEEN_STARTING,
	SEEN_RUNNING,
	SEEN_FROZEN,
	SEEN_WAITING,
	SEEN_EXITED,
	SEEN_LOST,
	SEEN_FAILED,
	SEEN_STATE_COUNT
};

/* What an agent says of a migration. */
enum seen_migration {
	SEEN_MIG_NONE,
	SEEN_MIG_PREPARED,
	SEEN_MIG_SENDING,
	SEEN_MIG_SENT,
	SEEN_MIG_LOADED,
	SEEN_MIG_RUNNING,
	SEEN_MIG_ABORTED,
	SEEN_MIG_DEFERRED,
	SEEN_MIG_FAILED,
	SEEN_MIG_COUNT
};

extern const char *const job_state_names[JOB_STATE_COUNT + 1]; /* NULL-terminated, as all here */
extern const char *const migration_state_names[MIG_STATE_COUNT + 1];
extern const char *const node_state_names[NODE_STATE_COUNT + 1];
extern const char *const reason_code_names[WHY_COUNT + 1];
extern const char *const dependency_type_names[DEP_TYPE_COUNT + 1];
extern const char *const seen_state_names[SEEN_STATE_COUNT + 1];
extern const char *const seen_migration_names[SEEN_MIG_COUNT + 1];

struct node;
struct migration;

struct list {
	struct list *prev, *next;
};

/* What was submitted; only priority and hold change later. */
struct job_spec {
	uint32_t cpus;
	uint32_t isas; /* bit mask by enum isa */
	uint64_t memory_bytes;
	uint64_t time_limit_s; /* 0: none */
	uint64_t begin_ms;     /* not to start before; 0: at once */
	int32_t priority;      /* higher first */
	bool held;             /* not to start until released */
	bool no_requeue;       /* must not start again from the beginning after its node failed */
	uint32_t max_restarts;
	uint32_t array_index;
	uint64_t array;       /* id of the array it is an element of, 0: none */
	uint32_t array_limit; /* elements at once, 0: any number */
	uint32_t ndependencies;
	struct dependency *dependencies; /* owned */
	char *launch; /* JSON object with args first, then env and stdin, without spaces; owned */
	char name[CORE_NAME_MAX];
	char user[CORE_NAME_MAX];
	char bundle[CORE_SHA_SIZE];
};

/* Where a waiting job is. */
enum job_queue {
	QUEUE_NONE,  /* held, too early, or waiting for others */
	QUEUE_CLASS, /* among those that may start */
	QUEUE_ARRAY, /* enough elements of its array are under way */
};

/* What trees and timers look at of a job: one cache line, apart from the rest (slab.h). */
struct job_key {
	/* waiting: in its class or array, by priority and age; running: in cluster.ends, by its
	 * expected end; of equals by id */
	struct tree_node order;
	struct timer timer; /* waiting: may begin; running: time limit */
	struct job *job;
};

struct job {
	/* what each decision on it looks at or changes, side by side */
	struct job_key *key; /* while it is live; the cluster's */
	uint64_t id;
	struct job *hash_next;
	enum job_state state;
	enum job_queue where;
	struct job_class *class;
	struct program *program;     /* what is known of its like; NULL without memory */
	struct node *node;           /* owner, or NULL */
	struct list at;              /* in node.jobs; once it is over in cluster.over */
	struct migration *migration; /* active, or NULL */
	uint64_t aborting; /* id of a migration whose abort the owner has not yet confirmed */
	enum job_state
		ending;       /* JOB_CANCELLED or JOB_TIMEOUT once asked to end, else JOB_PENDING */
	enum reason_code why; /* while PENDING */
	uint32_t attempt;     /* 1 at the first start; 0 before */
	uint32_t epoch;       /* 1 at each start, +1 at each hand-over */
	struct list dependents; /* jobs that depend on this one: struct link */
	struct link *links;     /* by index of spec.dependencies; NULL if none waits */
	struct job_spec spec;
	uint64_t expected_end_ms;                    /* 0: not known */
	uint64_t submitted_ms, started_ms, ended_ms; /* started: of this attempt */
	uint64_t present_ms;      /* when the owner got it, or last mentioned it */
	uint64_t placed_revision; /* of the owner's desired state that first had it */
	uint64_t settled_ms;      /* last start or move, for the cool-down */
	uint64_t not_before_ms; /* a restart waits a little, so that a broken node can't use up all
				 */
	uint64_t exited_ms; /* when an exit was heard of whose output is not complete, or when more
			     * of it came; */
	uint64_t exit_held; /* how much there was then */
	uint64_t hole_ms;   /* the shell's: since when output of an earlier node is missing; 0: it
			     * isn't */
	uint64_t cpu_us_before; /* CPU time on earlier nodes and attempts */
	uint64_t cpu_us_here;
	double predicted_j; /* of the whole run, as believed where it was placed; 0: not known */
	/* the segment under way: the part of an attempt on one node */
	uint64_t segment_ms;     /* since when */
	uint64_t segment_uj;     /* energy heard of, */
	uint64_t segment_uj_ms;  /* and the time it covers */
	double done;             /* share of the work done in earlier segments of this attempt */
	double isa_s[ISA_COUNT]; /* seconds times speed of earlier segments of it, by ISA */
	bool isa_emulated[ISA_COUNT];
	bool confirmed; /* the owner has reported it running at this epoch */
	bool last_emulated;
	enum isa last_isa; /* of the node that ran it last, for reading after the end */
	uint32_t restarts;
	uint32_t migrations;
	int32_t exit_code;
	int32_t signal;
	uint64_t downtime_us;
	char last_node[CORE_NAME_MAX];
	char reason[CORE_REASON_MAX]; /* why it is where it is, or why it waits */
};

/* A dependency that is not decided yet. */
struct link {
	struct list at; /* in the dependents of the job or array depended on */
	struct job *waiter;
	uint32_t index; /* of waiter's spec.dependencies */
};

/* Waiting jobs of one demand: if the first of them fits nowhere, none does. */
struct job_class {
	uint32_t cpus, isas;
	uint64_t memory_bytes;
	struct tree jobs;      /* by priority and age */
	struct job *first;     /* of jobs */
	struct tree_node head; /* in cluster.heads, with the key of its first job */
	struct job_class *hash_next;
};

struct job_array {
	uint64_t id;
	uint32_t limit;    /* elements at once, 0: any number */
	uint32_t admitted; /* under way */
	uint32_t live;     /* not over */
	uint32_t members;  /* not reaped; with the last one it is forgotten */
	bool failed;       /* one of them has ended otherwise than COMPLETED */
	struct tree waiting;
	struct list dependents; /* jobs that wait for all of it: struct link */
	struct job_array *hash_next;
};

/* Nodes that are alike, and those of them that may be chosen, by free cpus. */
struct machine {
	uint32_t index; /* in cluster.machines */
	enum isa isa;
	bool emulated, sleep_capable;
	uint32_t cpus;
	double idle_w, core_w, sleep_w, sleep_s, wake_s, wake_j, speed;
	char profile[CORE_NAME_MAX];
	char *runs;     /* seconds of known programs: "ep.A:14.6 is.A:0.558 "; owned, or NULL */
	uint32_t nodes; /* registered */
	uint32_t busy;  /* of up: with claimed cpus */
	struct tree up; /* take jobs */
	struct tree waking, asleep;
};

/* What is believed of a program on an ISA. Times are of one at speed 1. */
struct belief {
	uint32_t runs;
	double work_s; /* mean seconds times speed of the node */
	double spread; /* sum of squared differences from the mean (Welford) */
	double watts;  /* mean */
	uint32_t watt_runs;
};

/* Jobs with the same bundle, name and arguments. */
struct program {
	uint64_t key;
	char bundle[CORE_SHA_SIZE];
	char name[CORE_NAME_MAX];
	char *args;                     /* JSON array as text; owned, or NULL */
	struct belief of[ISA_COUNT][2]; /* [isa][emulated] */
	struct {
		uint32_t machine; /* index + 1; 0: none yet */
		double seconds;
	} profiled[4]; /* what machines' profiles say, by index, of those that were asked for last
			*/
	struct program *hash_next;
};

/* What trees look at of a node, likewise. */
struct node_key {
	struct tree_node order; /* by free cpus; of equals the one registered first is last */
	uint64_t free_memory, max_free_memory; /* its own, and the largest below */
	struct node *node;
};

struct node {
	struct node_key *key;       /* the cluster's */
	uint32_t index;             /* in cluster.nodes */
	uint64_t memory_bytes;      /* 0: not known, no limit */
	uint64_t used_memory_bytes; /* claimed by jobs */
	char name[CORE_NAME_MAX];
	char instance[CORE_NAME_MAX];
	char replaces[CORE_NAME_MAX]; /* introductions only: the instance this one follows */
	char address[CORE_NAME_MAX];
	char profile[CORE_NAME_MAX];
	char emulator[CORE_NAME_MAX];
	char software[CORE_NAME_MAX];
	char *meters; /* JSON array as introduced; opaque to the core; owned */
	enum isa isa;
	bool emulated;
	uint32_t cpus;
	double idle_w, core_w;
	enum node_state state; /* derived: node_state_of() */
	enum liveness alive;
	uint64_t seen_ms;    /* last word from it */
	uint64_t changed_ms; /* since when it is in this state */
	enum node_power power;
	bool cordoned;                           /* takes no new jobs */
	bool draining;                           /* its jobs are to leave, too */
	char state_reason[CORE_REASON_MAX];      /* why it is in this state */
	bool sleep_capable;                      /* can be put to sleep and woken */
	double sleep_w, sleep_s, wake_s, wake_j; /* of its profile; 0: not known */
	double speed;          /* of one cpu, relative among nodes; 0: not known (taken as 1) */
	char *runs;            /* seconds of known programs, as struct machine; owned, or NULL */
	uint32_t leaving_cpus; /* of used_cpus: of jobs with a migration to elsewhere */
	enum node_state shown; /* the state listeners were last told */
	bool failed_wake;      /* down since it didn't wake */
	uint64_t power_ms;     /* since when power is as it is */
	uint64_t no_sleep_ms;  /* not to be put to sleep before: a hook failed */
	uint64_t no_wake_ms;   /* not to be woken for running jobs before: it was a while ago */
	bool woken_to_move;    /* for running jobs, and since then none has started on it */
	uint64_t idle_ms;      /* since when no cpu is claimed */
	double idle_mean_s;    /* of its idle periods, asleep or not, newer ones weigh more */
	uint32_t idle_periods;
	bool idle_counted;        /* the period under way is in the mean already */
	bool last_end_known;      /* what follows holds */
	uint64_t last_end_ms;     /* when the last of its jobs is expected to end; 0: of one nobody
				     knows */
	uint64_t mw;              /* predicted power, in milliwatts */
	uint64_t counted_idle_mw; /* what of cluster.idle_mw is this node's */
	bool counted_awake;       /* counted in cluster.awake */
	double sleep_predicted_j; /* of the sleep under way */
	uint64_t sleeps_settled_ms; /* the shell's: until when its sleeps' energy is written */
	struct machine *machine;
	struct tree *tree; /* of machine, that it is in, or NULL */
	bool busy;         /* counted in machine.busy */
	bool reserved;     /* kept out of the trees while others are placed */
	struct timer silence, power_timer;
	struct list idle;  /* in cluster.idle */
	struct list drain; /* in cluster.drains */
	uint64_t revision; /* of its desired state; made by the shell, unequal across restarts */
	uint64_t seen_revision;
	double cpu_percent;
	uint64_t memory_used_bytes;
	uint32_t used_cpus;
	struct list jobs;     /* owned */
	struct list incoming; /* migrations towards it, not yet committed */
	struct list outgoing; /* committed migrations it has still to let go of */
	struct node *hash_next;
};

struct migration {
	uint64_t id;
	uint64_t job;
	struct job *live; /* NULL once the job is over */
	uint32_t attempt;
	uint32_t next_epoch;
	struct node *from, *to;
	enum migration_state state;
	bool manual;               /* asked for by a person */
	bool resumed;              /* the destination has reported it running */
	bool released;             /* the source has let go */
	uint64_t release_revision; /* of the source's desired state that first lacked the job */
	char reason[CORE_REASON_MAX];
	char error[CORE_TEXT_MAX];
	char note[CORE_TEXT_MAX]; /* why it is deferred */
	char endpoint[CORE_NAME_MAX];
	char secret[2 * CORE_NAME_MAX + 1];
	double predicted_j; /* joules it is expected to save, its own cost taken off */
	/* of the rest of the job: joules at the source; joules and seconds at the destination; of
	 * idle power, what is saved; and the power that the move itself draws while it lasts */
	double stay_j, go_j, go_s, idle_j, move_w;
	uint64_t requested_ms, phase_ms, committed_ms, ended_ms;
	uint64_t image_bytes, frames, save_us, transfer_us, load_us, rebuild_us, downtime_us;
	uint64_t frozen_ms, resumed_ms, frozen_mono_ns, resumed_mono_ns;
	bool downtime_monotonic;
	struct list active; /* in cluster.active */
	struct list at;     /* in to->incoming, then from->outgoing */
};

struct core_options {
	uint64_t heartbeat_ms;
	uint64_t node_unknown_ms;     /* silent for so long: no new work */
	uint64_t node_down_ms;        /* silent for so long: its jobs' attempts are over */
	uint64_t prepare_ms, send_ms; /* limits of these phases of a migration */
	uint64_t sleep_ms, wake_ms;   /* limits of going to sleep and of waking */
	bool can_sleep;               /* there are hooks that put nodes to sleep and wake them */
	uint32_t backfill;            /* classes of jobs that are tried behind one that must wait */
	uint64_t start_ms; /* an owner that doesn't report its job for so long has lost it */
	uint64_t log_ms;   /* how long an exit waits for more of its output */
};

extern const struct core_options core_options_default;

/* ---- energy records ----------------------------------------------------- */

struct energy_job {
	uint64_t job;
	uint32_t attempt;
	uint64_t energy_uj;
};

#define ENERGY_NAME_MAX 64
#define ENERGY_JOBS_MAX 256

/* A meter's reading over an interval; energy_uj = idle_uj + system_uj + sum of jobs. */
struct energy_interval {
	char node[CORE_NAME_MAX], instance[CORE_NAME_MAX];
	char meter[ENERGY_NAME_MAX], source[16], scope[16], kind[16];
	uint64_t from_ms, to_ms;
	uint64_t energy_uj, idle_uj, system_uj, gap_ms;
	bool counted;      /* part of the node's total */
	bool says_counted; /* of a report: the agent said so; else see ledger_counted() */
	uint32_t njobs;
	struct energy_job jobs[ENERGY_JOBS_MAX];
};

/* How policies weigh; one set for all, each uses what it needs. */
struct policy_options {
	double hysteresis;      /* balance: least difference of load, as a share of a node's cpus */
	uint64_t cooldown_ms;   /* least time between two moves of a job */
	uint64_t settle_ms;     /* consolidate: demand must have been lower for so long */
	uint32_t max_in_flight; /* migrations at a time in the cluster */
	double horizon_s;    /* over which joules are predicted, where a job's time isn't known */
	double min_saving_j; /* a move must be predicted to save more */
	bool require_saving; /* moves that aren't predicted to save anything are not made */
	double bias; /* unbalance: cpus of the faster ISA for one of the slower; 0: speeds */
	double max_slowdown; /* energy: time on the chosen machine over that on the fastest */
	double sleep_after;  /* idle time before a sleep, in break-even times */
	uint32_t min_awake;  /* nodes that are never put to sleep */
};

extern const struct policy_options policy_options_default;
struct policy;

struct cluster {
	struct core_options opt;
	const struct policy *policy;
	bool policy_sleeps;      /* it puts idle nodes to sleep */
	bool policy_by_last_end; /* how it counts idle power; see struct policy */
	struct policy_options policy_opt;
	uint64_t now_ms; /* of the event under way */
	struct node **nodes;
	uint32_t nnodes, nodes_cap;
	struct node *node_hash[4096];
	struct job **job_hash;
	uint32_t njobs, job_buckets; /* live ones, and those of over */
	uint32_t npending;           /* of these those that wait */
	struct slab job_keys, node_keys;
	struct list active; /* migrations not DONE or ABORTED */
	uint32_t nactive;
	uint64_t next_job, next_migration, next_revision;
	uint64_t low_since_ms; /* consolidate: since when the running jobs fit a smaller set of
				  nodes */
	bool schedule;         /* something changed that placement may answer */
	uint64_t moves_ms;   /* when running jobs are looked at again; UINT64_MAX: after a change */
	uint64_t settled_ms; /* the last start or move of any job */
	struct list over;    /* jobs that ended, kept until the shell has saved them */
	struct list closed;  /* migrations that ended, likewise */
	uint64_t jobs_ended[JOB_STATE_COUNT], migrations_ended[MIG_STATE_COUNT];
	/* indexes */
	struct timers timers;
	struct job_class *class_hash[1024];
	struct tree heads; /* classes that have jobs, by their first */
	struct job_array *array_hash[256];
	struct machine **machines;
	uint32_t nmachines, machines_cap;
	struct list idle;   /* nodes that are up and claimed by nobody, longest first */
	struct list drains; /* nodes whose jobs are to leave */
	struct tree ends;   /* running jobs by their expected end; not known is last */
	struct program *program_hash[1024];
	uint32_t nprograms;
	uint64_t running_cpus, waiting_cpus; /* of jobs with an owner; of those that may start */
	/* power */
	uint64_t mw;      /* predicted, of all nodes */
	uint64_t idle_mw; /* of it: the idle power of nodes that are on */
	uint32_t awake;   /* nodes that are on or waking */
	uint64_t cap_mw;  /* 0: none */
	/* what a migration takes, from those that were made */
	double move_s;
	/* the first job that has to wait for cpus, and the node that is kept for it */
	struct reservation {
		uint64_t job; /* 0: none */
		struct node *node;
		uint64_t at_ms; /* when it can start; UINT64_MAX: nobody knows */
		uint32_t extra; /* cpus that will be left then */
		uint64_t extra_memory;
	} reserved;
};

static inline struct job *job_of(const struct tree_node *order)
{
	return tree_entry(order, struct job_key, order)->job;
}

static inline struct node *node_of(const struct tree_node *order)
{
	return tree_entry(order, struct node_key, order)->node;
}

static inline uint32_t node_free_cpus(const struct node *n)
{
	return n->cpus > n->used_cpus ? n->cpus - n->used_cpus : 0;
}

static inline bool job_is_over(const struct job *j)
{
	return j->state >= JOB_COMPLETED;
}

/* All live jobs, in no order. They may be ended on the way, not reaped. */
#define cluster_each_job(c, j)                                                                     \
	for (uint32_t b_ = 0; b_ < (c)->job_buckets; b_++)                                         \
		for (struct job *j = (c)->job_hash[b_]; j; j = j->hash_next)                       \
			if (job_is_over(j)) {                                                      \
			} else

static inline bool migration_is_over(const struct migration *m)
{
	return m->state >= MIG_DONE;
}

#endif
