/*
 * The decisions of the scheduler: events in, effects out.
 *
 * Each core_* function below takes the cluster, what happened with its time,
 * and a list that receives the effects. It changes the cluster in memory and
 * nothing else. The caller makes the effects durable in one transaction before
 * anybody can see them; if that fails it throws the cluster away and loads it
 * anew from its store. Times may come out of order; to the core the latest one holds.
 */
#ifndef DROVER_SCHEDULER_CORE_CORE_H
#define DROVER_SCHEDULER_CORE_CORE_H

#include "common/err.h"
#include "scheduler/core/types.h"

/* ---- effects ------------------------------------------------------------ */

enum effect_kind {
	FX_JOB,       /* save job; tell listeners */
	FX_REASON,    /* why a job waits is new: tell listeners; nothing to save */
	FX_ATTEMPT,   /* save how the attempt stands (attempt, node, outcome) */
	FX_SEGMENT,   /* save a part of an attempt on one node: begun, or with ended_ms ended */
	FX_DECISION,  /* save a decision on a job, with its reason */
	FX_MIGRATION, /* save migration; tell listeners */
	FX_NODE,      /* save node; tell listeners */
	FX_CHANGE,    /* save that a node changed its state, with the reason */
	FX_MODEL,     /* save what is believed of program */
	FX_DESIRED,   /* node's desired state is new */
	FX_SUSPEND,   /* run the hook that puts node to sleep; answer by core_power_done() */
	FX_RESUME,    /* likewise that wakes it */
};

struct effect {
	enum effect_kind kind;
	struct job *job;
	struct migration *migration;
	struct node *node;
	struct program *program;
	/* FX_ATTEMPT, FX_SEGMENT, FX_DECISION, FX_CHANGE */
	uint32_t attempt, epoch;
	uint64_t started_ms, ended_ms; /* decisions and changes: started_ms is their time */
	uint64_t cpu_us;
	char node_name[CORE_NAME_MAX];
	enum isa isa;
	bool emulated;
	char outcome[CORE_REASON_MAX]; /* or the reason */
	/* FX_DECISION: "place", "migrate", "hold", ...; FX_CHANGE: the state */
	const char *what;
	double predicted_j, actual_j; /* NAN: not known */
	double stay_j, go_s;          /* see struct decision_record */
	/* FX_MIGRATION: the step taken ("prepare", "send", "commit", "release", "abort") or NULL */
	const char *step;
};

struct effects {
	struct effect *v;
	size_t n, cap;
	bool failed; /* no memory: the step's outcome must not be used */
};

void effects_free(struct effects *fx);

/* ---- the cluster -------------------------------------------------------- */

/* NULL: no memory. */
struct cluster *cluster_new(const struct core_options *opt);
void cluster_free(struct cluster *c);

struct node *cluster_node(const struct cluster *c, const char *name);
struct job *cluster_job(const struct cluster *c, uint64_t id);
struct migration *cluster_migration(const struct cluster *c, uint64_t id);
/* Is any element of the array not over? failed: one that this cluster has seen end did not
 * complete; for those that ended before, ask the store. */
bool cluster_array(struct cluster *c, uint64_t id, bool *failed);

/* For loading from a store: the cluster takes j/m/n, whose links it sets. Adopt nodes first, then
 * jobs that have an owner, those that wait, each by their ids, then active migrations (found by
 * m->job). -EINVAL: contradicts what is there. */
int cluster_adopt_node(struct cluster *c, struct node *n);
int cluster_adopt_job(struct cluster *c, struct job *j, struct node *owner);
int cluster_adopt_migration(struct cluster *c, struct migration *m);

/* Frees jobs and migrations that ended. Call when the effects of the step are saved. */
void cluster_reap(struct cluster *c);

void job_free(struct job *j);
/* Frees what a specification owns. */
void job_spec_free(struct job_spec *spec);
/* With copies of what it owns; -ENOMEM. */
int job_spec_copy(struct job_spec *to, const struct job_spec *from);
void node_free(struct node *n);

/* NULL if all invariants of types.h hold, else which doesn't. For tests. */
const char *cluster_check(const struct cluster *c);

/* What is believed of jobs of this bundle, name and arguments; made if it isn't there. NULL: no
 * memory, or too many programs are known. */
struct program *core_program(struct cluster *c, const struct job_spec *spec);

/* ---- events ------------------------------------------------------------- */

/* A new job; takes what spec owns. *out is the job. */
int core_submit(struct cluster *c, uint64_t now_ms, struct job_spec *spec, struct job **out,
		struct effects *fx);

/* What elements of an array share: their id is that of the first one. */
uint64_t core_next_job(const struct cluster *c);

/* Keeps a waiting job from starting, or lets it. -EBUSY: it doesn't wait. */
int core_hold(struct cluster *c, uint64_t now_ms, struct job *j, bool hold, struct effects *fx);
/* -EALREADY: it is over. */
int core_set_priority(struct cluster *c, uint64_t now_ms, struct job *j, int32_t priority,
		      struct effects *fx);
/* Ends a running job's attempt and has it wait for the next. Errors say why not. */
int core_requeue(struct cluster *c, uint64_t now_ms, struct job *j, struct effects *fx,
		 struct err *e);

/* Ends a job. -EALREADY if it is over or being ended. */
int core_cancel(struct cluster *c, uint64_t now_ms, struct job *j, struct effects *fx);

/* Moves a running job to a node (NULL: the best of the other ISA). Errors say why not. */
int core_migrate(struct cluster *c, uint64_t now_ms, struct job *j, struct node *to,
		 const char *reason, struct migration **out, struct effects *fx, struct err *e);

/* An agent's introduction; takes intro->meters. -EBUSY: another instance is alive. */
int core_introduce(struct cluster *c, uint64_t now_ms, struct node *intro, struct node **out,
		   struct effects *fx);

struct job_report {
	uint64_t id;
	uint32_t attempt, epoch;
	enum seen_state state;
	int32_t exit_code, signal;
	char reason[CORE_TEXT_MAX];
	uint64_t cpu_us, log_bytes, started_ms, ended_ms;
	uint64_t log_held; /* what the scheduler has of the output; filled by the shell */
	uint64_t migration;
	enum seen_migration migration_state;
	char migration_reason[CORE_TEXT_MAX];
	char endpoint[CORE_NAME_MAX];
	char secret[2 * CORE_NAME_MAX + 1];
	uint64_t image_bytes, frames, save_us, transfer_us, load_us, rebuild_us;
	uint64_t frozen_ms, resumed_ms, frozen_mono_ns, resumed_mono_ns;
};

struct node_report {
	uint64_t revision;
	double cpu_percent;
	uint64_t memory_used_bytes;
	const struct job_report *jobs;
	size_t njobs;
};

/* What an agent says of its node. Never fails: what doesn't fit is ignored, for it may be late. */
void core_report(struct cluster *c, uint64_t now_ms, struct node *n, const struct node_report *r,
		 struct effects *fx);

/* Time passes: silent nodes, limits of phases and of jobs. */
void core_tick(struct cluster *c, uint64_t now_ms, struct effects *fx);

/* When time alone will change something next: virtual time may jump to it. UINT64_MAX: never. */
uint64_t core_next_ms(const struct cluster *c);

/* A reading of a node's meter: jobs' shares teach what programs draw. Counted ones only. */
void core_energy(struct cluster *c, struct node *n, const struct energy_interval *i);

enum node_action {
	ACTION_CORDON,   /* no new jobs */
	ACTION_UNCORDON, /* the opposite of cordon and of drain */
	ACTION_DRAIN,    /* no new jobs, and its jobs leave */
	ACTION_RESUME,   /* as uncordon; also has a node that didn't wake tried again */
	ACTION_SLEEP,
	ACTION_WAKE,
	ACTION_COUNT
};
extern const char *const node_action_names[ACTION_COUNT + 1];

/* Errors (-EBUSY) say why not. */
int core_node_action(struct cluster *c, uint64_t now_ms, struct node *n, enum node_action action,
		     const char *reason, struct effects *fx, struct err *e);

/* A hook ended: FX_SUSPEND's (resume false) or FX_RESUME's. why: of a failure. */
void core_power_done(struct cluster *c, uint64_t now_ms, struct node *n, bool resume, bool ok,
		     const char *why, struct effects *fx);
/* After loading: has the hooks of sleeps and wakes under way run again. */
void core_power_again(struct cluster *c, uint64_t now_ms, struct effects *fx);

/* 0: none. */
void core_set_cap(struct cluster *c, double cap_w);

/* Places waiting jobs and moves running ones, as the policy says. */
void core_schedule(struct cluster *c, uint64_t now_ms, struct effects *fx);

void core_set_policy(struct cluster *c, const struct policy *p, const struct policy_options *o);

/* ---- dependencies as text ------------------------------------------------ */

/* "afterok:12,afterany:13=met,afterok:20[]"; [] is a whole array. Allocated, NULL without memory.
 */
char *dependencies_format(const struct job_spec *spec);
/* The other way round; fills spec->dependencies. -EINVAL: not such a text, more than
 * CORE_DEPENDENCIES_MAX, or a job's id of 0; -ENOMEM. */
int dependencies_parse(const char *text, struct job_spec *spec);

/* ---- for policies ---------------------------------------------------------- */

/* Of a machine's tree: the node with the most, or the least, free cpus among those that have room;
 * NULL: none has. */
struct node *index_emptiest(const struct tree *t, uint32_t cpus, uint64_t memory_bytes);
struct node *index_fullest(const struct tree *t, uint32_t cpus, uint64_t memory_bytes);

/* What a job takes on a machine from its beginning to its end, as far as is known. */
struct estimate {
	double seconds; /* 0: not known */
	double watts;   /* while it runs, above the node's idle power */
	double joules;  /* 0: not known */
	uint32_t runs;  /* finished ones that this is learned from; 0: from the profile */
};
struct estimate core_estimate(const struct job *j, const struct machine *m);

/* The same time; where it isn't known the horizon of the policies, by the machine's speed. */
double core_seconds(const struct cluster *c, const struct job *j, const struct machine *m);
/* Seconds from now in which a job may end under a bound on the makespan: those until the last
 * running job does, or max_slowdown times what it takes on the fastest machine. */
double core_bound_s(const struct cluster *c, const struct job *j);

/* What is expected of moving the rest of a running job, in joules. */
struct saving {
	double stay_s, go_s; /* the rest of its time; the horizon if that isn't known */
	double stay_j, go_j; /* of the job in that time, above idle power */
	double idle_j;       /* idle power saved, or if negative spent */
	double move_w;       /* drawn on both sides for the move, */
	double move_j;       /* in the time that moves take */
	double net_j;
};
struct saving core_saving(const struct cluster *c, const struct job *j, struct node *to);
/* When the last job of the node is expected to end, not counting one; now if there is none. */
uint64_t core_last_end_ms(const struct cluster *c, struct node *n, const struct job *except);
/* Idle power that the node would not draw if it slept. */
double core_awake_w(const struct machine *m);
/* Joules of the idle power, above what it sleeps at, for which the node is awake only because of a
 * job that has so long to run there. */
double core_awake_j(const struct cluster *c, struct node *n, const struct job *j, double seconds);
/* Is it worth it? */
bool core_worth(const struct cluster *c, const struct saving *s);
/* Has it run long enough where it is, and can it be moved at all? */
bool core_movable(const struct cluster *c, const struct job *j);
/* Idle time after which a sleep saves energy, by the profile; 0: not known, or the node can't
 * sleep. */
double core_break_even_s(const struct machine *m);

/* ---- desired state ------------------------------------------------------ */

enum desired_role { ROLE_RUN, ROLE_SOURCE, ROLE_DESTINATION, ROLE_CANCEL };
enum desired_phase { PHASE_NONE, PHASE_PREPARE, PHASE_SEND, PHASE_COMMIT, PHASE_ABORT };

extern const char *const desired_role_names[];
extern const char *const desired_phase_names[];

struct desired {
	const struct job *job;
	enum desired_role role;
	enum desired_phase phase;
	uint64_t migration;        /* with a phase */
	const struct migration *m; /* NULL for PHASE_ABORT */
};

/* Calls fn for each job the node should know of. */
void core_desired(const struct node *n, void (*fn)(const struct desired *d, void *arg), void *arg);

/* ---- shared by the files of core/ (not for others) ---------------------- */

struct effect *fx_add(struct effects *fx, enum effect_kind kind);
void fx_job(struct effects *fx, struct job *j);
void fx_migration(struct effects *fx, struct migration *m, const char *step);
void fx_node(struct effects *fx, struct node *n);
void fx_desired(struct cluster *c, struct effects *fx, struct node *n);

void list_init(struct list *l);
void list_push(struct list *head, struct list *item);
void list_remove(struct list *item);
#define list_entry(l, type, member) ((type *)(void *)((char *)(l) - offsetof(type, member)))
#define list_each(i, head)          for (struct list *i = (head)->next; i != (head); i = i->next)
/* i may be removed on the way. */
#define list_each_safe(i, t, head)                                                                 \
	for (struct list *i = (head)->next, *t = i->next; i != (head); i = t, t = i->next)

/* job.c */
void job_place(struct cluster *c, uint64_t now_ms, struct job *j, struct node *n,
	       const char *reason, struct effects *fx);
void job_end(struct cluster *c, uint64_t now_ms, struct job *j, enum job_state state,
	     const char *reason, struct effects *fx);
/* The attempt is over without an exit status: the next one, or the end. */
void job_attempt_lost(struct cluster *c, uint64_t now_ms, struct job *j, const char *why,
		      struct effects *fx);
void job_report(struct cluster *c, uint64_t now_ms, struct node *n, struct job *j,
		const struct job_report *r, uint64_t revision, struct effects *fx);
/* Its timer is due: it may begin, or its time limit is reached. */
void job_due(struct cluster *c, uint64_t now_ms, struct job *j, struct effects *fx);
/* Claims (n->used_cpus) and the owner's list. */
void job_attach(struct cluster *c, struct job *j, struct node *n);
void job_detach(struct cluster *c, struct job *j);

/* migration.c */
struct migration *migration_start(struct cluster *c, uint64_t now_ms, struct job *j,
				  struct node *to, const char *reason, const struct saving *saving,
				  bool manual, struct effects *fx);
void migration_abort(struct cluster *c, uint64_t now_ms, struct migration *m, struct effects *fx,
		     const char *fmt, ...) _printf_(5, 6);
void migration_report(struct cluster *c, uint64_t now_ms, struct node *n,
		      const struct job_report *r, struct effects *fx);
void migration_tick(struct cluster *c, uint64_t now_ms, struct migration *m, struct effects *fx);
/* The job's attempt is over. */
void migration_job_gone(struct cluster *c, uint64_t now_ms, struct migration *m, const char *why,
			struct effects *fx);
void migration_released(struct cluster *c, uint64_t now_ms, struct migration *m,
			struct effects *fx);

#endif
