/*
 * Carrying out what reconcile() decides: the main thread's work.
 *
 * Entered with the lock held; released around what may block (spawning a ferry,
 * writing to disk). Every step of a migration has a fault point before and
 * after it; a crash at any of them is repaired by adopting the records at the
 * next start and reconciling again.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/node.h"
#include "agent/reconcile.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/log.h"

/* A job's working directory goes along by its path, so it has to be one that every node has. */
#define JOB_CWD "/tmp"

static int64_t mono_ms(void)
{
	return (int64_t)(clock_monotonic_ns() / NS_PER_MS);
}

static void log_action(const struct entry *en, enum action_type t)
{
	log_info("job.%s job=%s attempt=%" PRIu32 " epoch=%" PRIu64 " state=%s migration=%s",
		 action_name(t), en->job.key.id, en->job.key.attempt, en->job.key.epoch,
		 job_state_name(en->job.state), en->job.mig_id);
}

static void over(struct node *n, struct entry *en, enum job_state s, const char *why)
{
	entry_over(en, s, why);
	log_warn("job.%s job=%s attempt=%" PRIu32 " epoch=%" PRIu64 " reason=\"%s\"",
		 job_state_name(s), en->job.key.id, en->job.key.attempt, en->job.key.epoch, why);
	node_changed(n);
}

/* Bundles are fetched by another thread, which looks at this queue. */
static void want_bundle(struct node *n, const char *sha)
{
	for (size_t i = 0; i < n->nfetch; i++)
		if (!strcmp(n->fetch[i], sha))
			return;
	if (n->nfetch < FETCH_QUEUE)
		memcpy(n->fetch[n->nfetch++], sha, SHA256_HEX);
	pthread_cond_broadcast(&n->changed);
}

static void check_bundle(struct node *n, struct entry *en)
{
	char path[320];
	struct stat st;

	if (en->job.bundle_ready || en->job.state != JOB_NEW)
		return;
	snprintf(path, sizeof(path), "%s/%s", n->bundles_dir, en->job.bundle);
	en->job.bundle_ready = stat(path, &st) == 0;
	if (!en->job.bundle_ready)
		want_bundle(n, en->job.bundle);
}

static void add(struct node *n, const struct want *w, enum action_type t)
{
	struct entry **v = realloc(n->entries, (n->nentries + 1) * sizeof(*v));
	struct entry *en;

	if (v)
		n->entries = v;
	en = v ? entry_new(n->jobs_dir, w) : NULL;
	if (!en) {
		log_error("job.add-failed job=%s reason=\"out of memory\"", w->id);
		return;
	}
	n->entries[n->nentries++] = en;
	log_action(en, t);
	if (t == ACT_ADD_LOST) {
		over(n, en, JOB_LOST, "this node has no record of it");
	} else if (t == ACT_ADD_ENDED) {
		en->job.exit_signal = SIGTERM;
		over(n, en, JOB_EXITED, "cancelled before it ran here");
	} else {
		check_bundle(n, en);
	}
}

/* With room for more behind them. */
static const char **borrow_strings(const json_t *arr, size_t more)
{
	size_t n = json_array_size(arr);
	const char **v = calloc(n + more + 1, sizeof(*v));

	for (size_t i = 0; v && i < n; i++)
		v[i] = json_string_value(json_array_get(arr, i));
	return v;
}

/* Outside the lock: only main changes an entry, and it is here. */
static int spawn(struct node *n, struct entry *en, struct err *e)
{
	char bundle[320], listen[128], input[320];
	_cleanup_free_ const char **args = borrow_strings(json_object_get(en->record, "args"), 0);
	_cleanup_free_ const char **env = borrow_strings(json_object_get(en->record, "env"), 3);
	char id[64], attempt[64], node[96];
	size_t nenv = 0;
	struct ferry_spec spec = {
		.job = en->job.key.id,
		.attempt = en->job.key.attempt,
		.epoch = en->job.key.epoch,
		.role = en->job.origin == ROLE_RUN ? FERRY_RUN : FERRY_RECEIVE,
		.bundle = bundle,
		.sha256 = en->job.bundle,
		.isa = n->opt.isa,
		.name = json_string_value(json_object_get(en->record, "name")),
		.args = args,
		.env = env,
		.cwd = JOB_CWD,
		.migration = en->job.mig_id,
		.listen = listen,
	};

	if (!args || !env)
		return err_set(e, -ENOMEM, "job %s: out of memory", en->job.key.id);
	/* What a job may want to know of itself, as other schedulers' jobs do. */
	while (env[nenv])
		nenv++;
	snprintf(id, sizeof(id), "DROVER_JOB_ID=%s", en->job.key.id);
	snprintf(attempt, sizeof(attempt), "DROVER_JOB_ATTEMPT=%" PRIu32, en->job.key.attempt);
	snprintf(node, sizeof(node), "DROVER_START_NODE=%s", n->opt.name);
	env[nenv++] = id;
	env[nenv++] = attempt;
	env[nenv++] = node;
	if (json_is_string(json_object_get(en->record, "stdin"))) {
		snprintf(input, sizeof(input), "%s/stdin", en->dir);
		spec.stdin_path = input;
	}
	snprintf(bundle, sizeof(bundle), "%s/%s", n->bundles_dir, en->job.bundle);
	snprintf(listen, sizeof(listen), "%s:0", n->opt.address);
	if (spec.role == FERRY_RUN)
		spec.migration = spec.listen = NULL;
	return ferry_spawn(&spec, en->dir, &en->ferry_pid, e);
}

/* START and RECEIVE: the record is durable before anything exists that could run. */
static void begin(struct node *n, struct entry *en, enum action_type t)
{
	bool receive = t == ACT_RECEIVE;
	struct err e = ERR_INIT;
	struct ferry_client *client = NULL;
	int rc;

	en->job.state = receive ? JOB_WAITING : JOB_STARTING;
	en->job.settled = en->job.log_delivered = false;
	pthread_mutex_unlock(&n->lock);
	rc = fault_point(receive ? "agent.before-prepare" : "agent.before-start-record");
	if (!rc)
		rc = entry_record(en, &e);
	if (!rc)
		rc = fault_point(receive ? "agent.after-prepare-record"
					 : "agent.after-start-record");
	if (!rc)
		rc = spawn(n, en, &e);
	if (!rc)
		rc = fault_point(receive ? "agent.after-prepare" : "agent.after-start");
	if (!rc)
		rc = ferry_connect(en->dir, &client, &e);
	pthread_mutex_lock(&n->lock);
	en->ferry = client;
	if (rc) {
		/* It may have come to its end before we could listen. */
		struct ferry_status s;

		if (rc != -EIO && !ferry_status_read(en->dir, &s, NULL) &&
		    ferry_state_final(s.state)) {
			entry_update(en, &s);
			node_changed(n);
		} else {
			over(n, en, JOB_FAILED, e.code ? e.msg : "a step failed on this node");
		}
		return;
	}
	act_listen(n, en);
}

struct order {
	enum ferry_command_type cmd;
	const char *before, *after; /* fault points */
};

static const struct order orders[ACT_TYPES] = {
	[ACT_SEND] = {FERRY_CMD_SEND, "agent.before-send", "agent.after-send"},
	[ACT_ABORT] = {FERRY_CMD_ABORT, "agent.before-abort", "agent.after-abort"},
	[ACT_GO] = {FERRY_CMD_GO, "agent.before-go", "agent.after-go"},
	[ACT_RELEASE] = {FERRY_CMD_RELEASE, "agent.before-release", "agent.after-release"},
	[ACT_CANCEL] = {FERRY_CMD_CANCEL, "agent.before-cancel", "agent.after-cancel"},
	[ACT_KILL] = {FERRY_CMD_CANCEL, "agent.before-kill", "agent.after-kill"},
};

/* What ends a job that is no longer wanted depends on how far it is. */
static enum ferry_command_type release_command(const struct job *j)
{
	if (j->state == JOB_FROZEN)
		return FERRY_CMD_RELEASE;
	return j->state == JOB_WAITING ? FERRY_CMD_ABORT : FERRY_CMD_CANCEL;
}

static void tell(struct node *n, struct entry *en, const struct want *w, enum action_type t)
{
	const struct order *o = &orders[t];
	struct err e = ERR_INIT;
	struct ferry_command cmd = {
		.type = t == ACT_RELEASE ? release_command(&en->job) : o->cmd,
		.epoch = en->job.key.epoch,
		.migration = w && t == ACT_SEND ? w->mig.id : en->job.mig_id,
		.endpoint = w ? w->mig.endpoint : NULL,
		.secret = w ? w->mig.secret : NULL,
		.next_epoch = w ? w->mig.next_epoch : 0,
		.signal = t == ACT_CANCEL ? SIGTERM : SIGKILL,
	};
	int rc;

	en->job.asked = t;
	en->job.asked_ms = mono_ms();
	if (t == ACT_CANCEL)
		en->job.cancel_ms = en->job.asked_ms;
	if (!en->ferry)
		return;
	pthread_mutex_unlock(&n->lock);
	rc = fault_point(o->before);
	if (!rc)
		rc = ferry_command(en->ferry, &cmd, NULL, &e);
	if (!rc)
		rc = fault_point(o->after);
	pthread_mutex_lock(&n->lock);
	if (rc)
		log_warn("job.command-failed job=%s command=%s reason=\"%s\"", en->job.key.id,
			 action_name(t), e.code ? e.msg : "fault point");
}

static void forget(struct node *n, size_t i)
{
	struct entry *en = n->entries[i];
	struct err e = ERR_INIT;

	n->entries[i] = NULL;
	if (file_remove_tree(en->dir, &e))
		log_err(LOG_LEVEL_WARN, "job.forget", &e);
	entry_free(en);
}

static void carry_out(struct node *n, const struct action *a)
{
	struct entry *en = a->job == SIZE_MAX ? NULL : n->entries[a->job];
	const struct want *w = a->want == SIZE_MAX ? NULL : &n->desired.jobs[a->want];

	if (en)
		log_action(en, a->type);
	switch (a->type) {
	case ACT_ADD:
	case ACT_ADD_LOST:
	case ACT_ADD_ENDED:
		add(n, w, a->type);
		break;
	case ACT_START:
	case ACT_RECEIVE:
		begin(n, en, a->type);
		break;
	case ACT_FORGET:
		forget(n, a->job);
		break;
	case ACT_KILL:
		if (en->job.state == JOB_NEW) {
			en->job.exit_signal = SIGTERM;
			over(n, en, JOB_EXITED, "cancelled before it ran here");
			break;
		}
		tell(n, en, w, a->type);
		break;
	default:
		tell(n, en, w, a->type);
		break;
	}
}

static void drop_forgotten(struct node *n)
{
	size_t k = 0;

	for (size_t i = 0; i < n->nentries; i++)
		if (n->entries[i])
			n->entries[k++] = n->entries[i];
	n->nentries = k;
}

/* One pass; true if it made an entry, for which there may be more to do at once. */
static bool act_once(struct node *n)
{
	_cleanup_free_ const struct job **jobs = NULL;
	_cleanup_free_ struct action *acts = NULL;
	size_t nacts, njobs = n->nentries;
	bool added = false;

	jobs = calloc(njobs + 1, sizeof(*jobs));
	acts = calloc(njobs + n->desired.njobs + 1, sizeof(*acts));
	if (!jobs || !acts)
		return false;
	for (size_t i = 0; i < njobs; i++) {
		struct entry *en = n->entries[i];

		check_bundle(n, en);
		if (en->job.state != JOB_NEW)
			en->job.settled =
				en->job.log_delivered && en->cpu_billed_us == en->cpu_local_us;
		jobs[i] = &en->job;
	}
	nacts = reconcile(n->desired.jobs, n->desired.njobs, jobs, njobs, mono_ms(), acts);
	for (size_t i = 0; i < nacts; i++) {
		carry_out(n, &acts[i]);
		added = added || acts[i].type == ACT_ADD;
	}
	drop_forgotten(n);
	return added;
}

void act_all(struct node *n)
{
	if (!n->have_desired)
		return;
	if (act_once(n))
		act_once(n);
	/* Only now: a report of this revision must not lack a job that it asks for. */
	n->acted_revision = n->desired.revision;
}

void act_listen(struct node *n, struct entry *en)
{
	struct ferry_status s;
	struct err e = ERR_INIT;
	int rc = 0;

	while (en->ferry && (rc = ferry_next(en->ferry, 0, &s, &e)) == 1) {
		if (s.answer.id && !s.answer.ok)
			log_warn("job.command-refused job=%s code=%d reason=\"%s\"", en->job.key.id,
				 s.answer.code, s.answer.error);
		if (entry_update(en, &s)) {
			log_info("job.state job=%s attempt=%" PRIu32 " epoch=%" PRIu64
				 " state=%s migration=%s:%s",
				 en->job.key.id, en->job.key.attempt, en->job.key.epoch,
				 job_state_name(en->job.state), en->job.mig_id,
				 mig_state_name(en->job.mig));
			node_changed(n);
		}
	}
	if (rc < 0) {
		if (rc != -ECONNRESET)
			log_err(LOG_LEVEL_WARN, "ferry.protocol", &e);
		entry_ferry_gone(en);
		node_changed(n);
	}
}

void act_stop_jobs(struct node *n)
{
	for (size_t i = 0; i < n->nentries; i++)
		if (job_has_ferry(n->entries[i]->job.state))
			tell(n, n->entries[i], NULL, ACT_KILL);
}
