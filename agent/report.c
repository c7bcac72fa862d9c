/*
 * Reports: what is on this node, sent on every change and at every heartbeat.
 * Format: docs/formats/agent-protocol.md.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysinfo.h>

#include "agent/node.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"

#define ENERGY_PER_REPORT 600
/* An ended job's output goes first, so that whoever waits for the job can read it; not forever. */
#define HOLD_EXIT_MS 20000

static void set_u64(json_t *obj, const char *key, uint64_t v)
{
	json_object_set_new(obj, key, json_integer((json_int_t)(v > INT64_MAX ? INT64_MAX : v)));
}

static void set_str(json_t *obj, const char *key, const char *v)
{
	json_object_set_new(obj, key, json_string(v));
}

static json_t *pack_migration(const struct job *j)
{
	json_t *m = json_object();

	set_str(m, "id", j->mig_id);
	set_str(m, "state", mig_state_name(j->mig));
	if (j->mig_reason[0])
		set_str(m, "reason", j->mig_reason);
	if (j->mig == MIG_PREPARED) {
		set_str(m, "endpoint", j->endpoint);
		set_str(m, "secret", j->secret);
	}
	set_u64(m, "image_bytes", j->facts.image_bytes);
	set_u64(m, "frames", j->facts.frames);
	set_u64(m, "save_us", j->facts.save_us);
	set_u64(m, "transfer_us", j->facts.transfer_us);
	set_u64(m, "load_us", j->facts.load_us);
	set_u64(m, "rebuild_us", j->facts.rebuild_us);
	set_u64(m, "frozen_ms", (uint64_t)j->facts.frozen_ms);
	set_u64(m, "resumed_ms", (uint64_t)j->facts.resumed_ms);
	set_u64(m, "frozen_mono_ns", (uint64_t)j->facts.frozen_mono_ns);
	set_u64(m, "resumed_mono_ns", (uint64_t)j->facts.resumed_mono_ns);
	return m;
}

static bool held_back(const struct entry *en)
{
	/* What came before this node is its predecessor's to deliver; how long to wait for that
	 * is the scheduler's to say, who knows whether it lives. */
	if (!en->ship_known && en->job.log_base)
		return false;
	return en->job.state == JOB_EXITED && !en->job.log_delivered &&
	       (int64_t)(clock_monotonic_ns() / NS_PER_MS) - en->over_ms < HOLD_EXIT_MS;
}

static json_t *pack_job(const struct entry *en)
{
	const struct job *j = &en->job;
	json_t *o = json_object();
	bool hold = held_back(en);

	set_str(o, "id", j->key.id);
	set_u64(o, "attempt", j->key.attempt);
	set_u64(o, "epoch", j->key.epoch);
	set_str(o, "state", hold ? job_state_name(JOB_RUNNING) : job_state_name(j->state));
	if (j->reason[0] && !hold)
		set_str(o, "reason", j->reason);
	if (j->state == JOB_EXITED && !hold) {
		json_object_set_new(o, "exit_code", json_integer(j->exit_code));
		json_object_set_new(o, "signal", json_integer(j->exit_signal));
		set_u64(o, "ended_ms", (uint64_t)j->ended_ms);
	}
	set_u64(o, "cpu_us", j->cpu_us > en->cpu_base ? j->cpu_us - en->cpu_base : 0);
	set_u64(o, "log_bytes", j->log_bytes);
	set_u64(o, "points", j->points);
	if (j->started_ms)
		set_u64(o, "started_ms", (uint64_t)j->started_ms);
	if (j->mig != MIG_NONE && j->mig_id[0])
		json_object_set_new(o, "migration", pack_migration(j));
	return o;
}

static json_t *pack_load(struct node *n, uint64_t running)
{
	struct sysinfo si;
	uint64_t used = 0;

	if (!sysinfo(&si))
		used = (uint64_t)(si.totalram - si.freeram - si.bufferram) * si.mem_unit;
	return json_pack("{s:f, s:I, s:I}", "cpu_percent", n->cpu_percent, "memory_used_bytes",
			 (json_int_t)used, "running", (json_int_t)running);
}

json_t *report_build(struct node *n, uint64_t seq, uint64_t *upto)
{
	json_t *jobs = json_array(), *energy = json_array();
	size_t ne = energy_ring_count(n->ring);
	uint64_t running = 0;

	for (size_t i = 0; i < n->nentries; i++) {
		/* What is released is no longer wanted here, so nobody asks for it. */
		if (!n->entries[i] || n->entries[i]->job.state == JOB_RELEASED)
			continue;
		running += n->entries[i]->job.state == JOB_RUNNING;
		json_array_append_new(jobs, pack_job(n->entries[i]));
	}
	if (ne > ENERGY_PER_REPORT)
		ne = ENERGY_PER_REPORT;
	for (size_t i = 0; i < ne; i++)
		json_array_append(energy, energy_ring_get(n->ring, i));
	*upto = energy_ring_removed(n->ring) + ne;
	energy_ring_sent(n->ring, *upto);
	return json_pack("{s:i, s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "version", 1, "instance",
			 n->instance, "scheduler_epoch", (json_int_t)n->scheduler_epoch, "seq",
			 (json_int_t)seq, "revision", (json_int_t)n->acted_revision, "load",
			 pack_load(n, running), "jobs", jobs, "energy", energy);
}

static int send_report(struct node *n, struct http_client *c, const char *path, uint64_t seq,
		       struct err *e)
{
	_cleanup_json_ json_t *in = NULL, *out = NULL;
	struct json_fields f;
	uint64_t upto = 0, version = 0, epoch = 0, ack = 0, since = clock_monotonic_ns();
	int rc;

	pthread_mutex_lock(&n->lock);
	in = report_build(n, seq, &upto);
	pthread_mutex_unlock(&n->lock);
	if (!in)
		return err_set(e, -ENOMEM, "no room for the report");
	rc = http_json(c, "POST", path, in, &out, e);
	if (rc == -ENOENT || rc == -EEXIST)
		return node_introduce(n, c, since, e);
	if (rc)
		return rc;
	json_fields_init(&f, out, "answer", e);
	json_get_u64(&f, "version", JSON_REQUIRED, 1, 1, &version);
	json_get_u64(&f, "scheduler_epoch", JSON_REQUIRED, 0, INT64_MAX, &epoch);
	json_get_u64(&f, "ack_seq", JSON_REQUIRED, 0, INT64_MAX, &ack);
	rc = json_fields_end_lax(&f);
	if (rc)
		return rc;
	pthread_mutex_lock(&n->lock);
	rc = node_scheduler_epoch(n, epoch);
	if (!rc && ack >= seq)
		energy_ring_ack(n->ring, upto);
	pthread_mutex_unlock(&n->lock);
	return rc ? err_set(e, rc, "an older scheduler answered a report") : 0;
}

void *report_thread(void *arg)
{
	struct node *n = arg;
	struct err e = ERR_INIT;
	struct http_client *c = http_client_new(n->opt.server, &e);
	_cleanup_buf_ struct buf path = {0};
	uint64_t seq = 0, seen = 0;
	unsigned int failures = 0;

	buf_init(&path, 1024);
	if (!c || buf_str(&path, "/v1/agents/") || http_escape(&path, n->opt.name) ||
	    buf_str(&path, "/report")) {
		log_err(LOG_LEVEL_ERROR, "report", &e);
		http_client_free(c);
		return NULL;
	}
	http_client_stop_on(c, &n->stop);
	while (!atomic_load(&n->stop)) {
		int rc;

		if (!atomic_load(&n->introduced_ns)) {
			node_pause(n, 20);
			continue;
		}
		pthread_mutex_lock(&n->lock);
		if (n->change == seen && !failures)
			node_wait(n, atomic_load(&n->heartbeat_ms));
		seen = n->change;
		pthread_mutex_unlock(&n->lock);
		err_clear(&e);
		rc = send_report(n, c, path.data, ++seq, &e);
		if (rc && rc != -ECANCELED) {
			if (failures == 0 || failures == 10)
				log_err(LOG_LEVEL_WARN, "report.failed", &e);
			node_pause(n, http_backoff_ms(++failures, (uint32_t)seq * 2654435761u) / 2);
		} else {
			failures = 0;
		}
	}
	http_client_free(c);
	return NULL;
}
