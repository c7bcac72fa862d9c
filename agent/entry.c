/* See entry.h. */
#include "agent/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

static json_t *pack_strings(char **v)
{
	json_t *arr = json_array();

	for (size_t i = 0; arr && v && v[i]; i++)
		json_array_append_new(arr, json_string(v[i]));
	return arr;
}

struct entry *entry_new(const char *jobs_dir, const struct want *w)
{
	struct entry *en = calloc(1, sizeof(*en));
	uint64_t epoch = w->role == ROLE_DESTINATION ? w->mig.next_epoch : w->epoch;

	if (!en)
		return NULL;
	snprintf(en->job.key.id, sizeof(en->job.key.id), "%s", w->id);
	en->job.key.attempt = w->attempt;
	en->job.key.epoch = epoch;
	en->job.state = JOB_NEW;
	en->job.origin = w->role == ROLE_DESTINATION ? ROLE_DESTINATION : ROLE_RUN;
	en->job.settled = en->job.log_delivered = true;
	memcpy(en->job.bundle, w->bundle, sizeof(en->job.bundle));
	if (w->role == ROLE_DESTINATION)
		memcpy(en->job.mig_id, w->mig.id, sizeof(en->job.mig_id));
	snprintf(en->dir, sizeof(en->dir), "%s/%s.%" PRIu32 ".%" PRIu64, jobs_dir, w->id,
		 w->attempt, epoch);
	en->record = json_pack(
		"{s:i, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:s?}", "version", 1, "id",
		w->id, "attempt", (json_int_t)w->attempt, "epoch", (json_int_t)epoch, "origin",
		w->role == ROLE_DESTINATION ? "received" : "started", "bundle", w->bundle, "name",
		w->name, "migration", en->job.mig_id, "args", pack_strings(w->args), "env",
		pack_strings(w->env), "stdin", w->stdin_text);
	if (!en->record) {
		free(en);
		return NULL;
	}
	return en;
}

int entry_record(struct entry *en, struct err *e)
{
	_cleanup_free_ char *text = json_dumps(en->record, JSON_INDENT(1));
	const char *input = json_string_value(json_object_get(en->record, "stdin"));
	char path[320];
	int rc;

	if (!text)
		return err_set(e, -ENOMEM, "job %s: out of memory", en->job.key.id);
	rc = file_mkdir_p(en->dir, 0700, e);
	if (rc)
		return rc;
	if (input) {
		snprintf(path, sizeof(path), "%s/stdin", en->dir);
		rc = file_write_atomic(path, input, strlen(input), 0600, e);
		if (rc)
			return rc;
	}
	snprintf(path, sizeof(path), "%s/agent.json", en->dir);
	return file_write_atomic(path, text, strlen(text), 0600, e);
}

void entry_over(struct entry *en, enum job_state state, const char *reason)
{
	en->job.state = state;
	snprintf(en->job.reason, sizeof(en->job.reason), "%s", reason);
	en->over_ms = (int64_t)(clock_monotonic_ns() / NS_PER_MS);
	if (!en->job.ended_ms)
		en->job.ended_ms = (int64_t)(clock_realtime_ns() / NS_PER_MS);
	/* A receiver that ends before it ran has failed its migration. */
	if (en->job.origin == ROLE_DESTINATION && state != JOB_EXITED && state != JOB_RELEASED &&
	    en->job.mig != MIG_RUNNING && en->job.mig != MIG_ABORTED) {
		en->job.mig = MIG_FAILED;
		snprintf(en->job.mig_reason, sizeof(en->job.mig_reason), "%s", reason);
	}
}

static const enum job_state state_of[] = {
	[FERRY_STARTING] = JOB_STARTING, [FERRY_RUNNING] = JOB_RUNNING,
	[FERRY_CAPTURING] = JOB_RUNNING, [FERRY_FROZEN] = JOB_FROZEN,
	[FERRY_RECEIVING] = JOB_WAITING, [FERRY_LOADED] = JOB_WAITING,
	[FERRY_EXITED] = JOB_EXITED,     [FERRY_RELEASED] = JOB_RELEASED,
	[FERRY_FAILED] = JOB_FAILED,
};

static const enum mig_state mig_of[] = {
	[FERRY_MIGRATION_NONE] = MIG_NONE,         [FERRY_MIGRATION_PREPARED] = MIG_PREPARED,
	[FERRY_MIGRATION_CAPTURING] = MIG_SENDING, [FERRY_MIGRATION_DEFERRED] = MIG_DEFERRED,
	[FERRY_MIGRATION_SENDING] = MIG_SENDING,   [FERRY_MIGRATION_RECEIVING] = MIG_PREPARED,
	[FERRY_MIGRATION_SENT] = MIG_SENT,         [FERRY_MIGRATION_LOADED] = MIG_LOADED,
	[FERRY_MIGRATION_RUNNING] = MIG_RUNNING,   [FERRY_MIGRATION_RELEASED] = MIG_SENT,
	[FERRY_MIGRATION_ABORTED] = MIG_ABORTED,   [FERRY_MIGRATION_FAILED] = MIG_FAILED,
};

static void take_migration(struct job *j, const struct ferry_migration *m)
{
	snprintf(j->mig_id, sizeof(j->mig_id), "%.*s", MIG_ID_MAX - 1, m->id);
	j->mig = mig_of[m->state];
	snprintf(j->mig_reason, sizeof(j->mig_reason), "%.*s", REASON_MAX - 1, m->reason);
	snprintf(j->endpoint, sizeof(j->endpoint), "%.*s", ENDPOINT_MAX - 1, m->endpoint);
	snprintf(j->secret, sizeof(j->secret), "%.*s", SECRET_MAX - 1, m->secret);
	j->facts = (struct mig_facts){
		.image_bytes = m->image_bytes,
		.frames = m->frames,
		.save_us = m->save_us,
		.transfer_us = m->transfer_us,
		.load_us = m->load_us,
		.rebuild_us = m->rebuild_us,
		.frozen_ms = (int64_t)m->frozen_ms,
		.resumed_ms = (int64_t)m->resumed_ms,
		.frozen_mono_ns = (int64_t)m->frozen_mono_ns,
		.resumed_mono_ns = (int64_t)m->resumed_mono_ns,
	};
}

/* Beside the record and without fsync: it is written while the job stands still. */
static void keep_cpu_base(struct entry *en, uint64_t cpu_us)
{
	char path[320], text[32];
	int len, fd;

	if (en->cpu_base == cpu_us)
		return;
	en->cpu_base = cpu_us;
	snprintf(path, sizeof(path), "%s/cpu-base", en->dir);
	len = snprintf(text, sizeof(text), "%" PRIu64 "\n", cpu_us);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || file_write_all(fd, text, (size_t)len))
		log_warn("job.cpu-base-not-kept job=%s", en->job.key.id);
	if (fd >= 0)
		close(fd);
}

static void load_cpu_base(struct entry *en)
{
	_cleanup_buf_ struct buf b = {0};
	char path[320];

	buf_init(&b, 64);
	snprintf(path, sizeof(path), "%s/cpu-base", en->dir);
	if (!file_read(path, &b, NULL))
		en->cpu_base = strtoull(buf_cstr(&b), NULL, 10);
}

/* CPU time counts from the attempt's beginning, wherever it ran; this node's part is the growth. */
static void take_cpu(struct entry *en, const struct ferry_status *s)
{
	bool here = s->state != FERRY_RECEIVING && s->state != FERRY_LOADED;

	if (!en->cpu_known && en->job.origin == ROLE_RUN)
		en->cpu_known = true; /* from 0 */
	if (en->cpu_known && here && s->cpu_us > en->cpu_last)
		en->cpu_local_us += s->cpu_us - en->cpu_last;
	if (!here)
		keep_cpu_base(en, s->cpu_us);
	if (s->cpu_us > en->cpu_last || !en->cpu_known)
		en->cpu_last = s->cpu_us;
	en->cpu_known = true;
	en->job.cpu_us = s->cpu_us;
}

bool entry_update(struct entry *en, const struct ferry_status *s)
{
	struct job *j = &en->job;
	enum job_state was = j->state;
	enum mig_state mig_was = j->mig;
	char mig_id_was[MIG_ID_MAX];
	uint64_t rebuild_was = j->facts.rebuild_us;

	if (job_is_over(was))
		return false;
	memcpy(mig_id_was, j->mig_id, sizeof(mig_id_was));
	en->ferry_pid = s->ferry_pid;
	take_cpu(en, s);
	if (s->migration.id[0])
		take_migration(j, &s->migration);
	j->log_base = s->log_base;
	j->log_bytes = s->log_bytes;
	j->points = s->points;
	j->exit_code = s->exit_code;
	j->exit_signal = s->signal;
	if (s->started_ms)
		j->started_ms = (int64_t)s->started_ms;
	if (s->ended_ms)
		j->ended_ms = (int64_t)s->ended_ms;
	/* Nobody here asked for that SIGKILL: the process was taken away, it did not end. */
	if (s->state == FERRY_EXITED && s->signal == SIGKILL && !j->cancel_ms &&
	    j->asked != ACT_KILL && j->asked != ACT_RELEASE)
		entry_over(en, JOB_LOST, "its process was killed from outside");
	else if (ferry_state_final(s->state))
		entry_over(en, state_of[s->state], s->reason);
	else
		j->state = state_of[s->state];
	if (j->state == was && j->mig == mig_was && !strcmp(j->mig_id, mig_id_was) &&
	    j->facts.rebuild_us == rebuild_was)
		return false;
	j->asked = ACT_NONE;
	return true;
}

void entry_ferry_gone(struct entry *en)
{
	struct ferry_status s;
	struct err e = ERR_INIT;
	char why[REASON_MAX];

	ferry_client_free(en->ferry);
	en->ferry = NULL;
	if (job_is_over(en->job.state))
		return;
	if (!ferry_status_read(en->dir, &s, &e)) {
		entry_update(en, &s);
		if (ferry_state_final(s.state))
			return;
	}
	snprintf(why, sizeof(why), "its ferry (pid %d) is gone without a final status",
		 (int)en->ferry_pid);
	entry_over(en, JOB_LOST, why);
}

uint64_t entry_log_end(const struct entry *en)
{
	char path[320];
	struct stat st;

	snprintf(path, sizeof(path), "%s/log", en->dir);
	if (stat(path, &st) < 0 || st.st_size < 0)
		return en->job.log_base;
	return en->job.log_base + (uint64_t)st.st_size;
}

static int parse_record(const json_t *rec, struct entry *en, struct err *e)
{
	static const char *const origins[] = {"started", "received", NULL};
	struct json_fields f;
	struct job *j = &en->job;
	const json_t *args = NULL, *env = NULL;
	const char *input = NULL;
	char name[JOB_NAME_MAX];
	uint64_t version = 0, attempt = 0;
	int origin = 0;

	json_fields_init(&f, rec, "agent.json", e);
	json_get_u64(&f, "version", JSON_REQUIRED, 1, 1, &version);
	json_get_str(&f, "id", JSON_REQUIRED, j->key.id, sizeof(j->key.id));
	json_get_u64(&f, "attempt", JSON_REQUIRED, 1, UINT32_MAX, &attempt);
	json_get_u64(&f, "epoch", JSON_REQUIRED, 1, INT64_MAX, &j->key.epoch);
	json_get_enum(&f, "origin", JSON_REQUIRED, origins, &origin);
	json_get_str(&f, "bundle", JSON_REQUIRED, j->bundle, sizeof(j->bundle));
	json_get_str(&f, "name", JSON_REQUIRED, name, sizeof(name));
	json_get_str(&f, "migration", JSON_OPTIONAL, j->mig_id, sizeof(j->mig_id));
	json_get_arr(&f, "args", JSON_REQUIRED, 4096, &args);
	json_get_arr(&f, "env", JSON_REQUIRED, 4096, &env);
	json_get_strp(&f, "stdin", JSON_OPTIONAL, 0, ENTRY_RECORD_MAX, &input);
	j->key.attempt = (uint32_t)attempt;
	j->origin = origin ? ROLE_DESTINATION : ROLE_RUN;
	return json_fields_end_lax(&f);
}

int entry_adopt(const char *dir, struct entry **out, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	struct entry *en;
	struct ferry_status s;
	char path[320];
	int rc;

	buf_init(&b, ENTRY_RECORD_MAX);
	snprintf(path, sizeof(path), "%s/agent.json", dir);
	rc = file_read(path, &b, e);
	if (rc)
		return rc;
	en = calloc(1, sizeof(*en));
	if (!en)
		return err_set(e, -ENOMEM, "%s: out of memory", dir);
	snprintf(en->dir, sizeof(en->dir), "%s", dir);
	rc = json_parse(buf_cstr(&b), b.len, ENTRY_RECORD_MAX, path, &en->record, e);
	if (!rc)
		rc = parse_record(en->record, en, e);
	if (rc) {
		entry_free(en);
		return rc;
	}
	load_cpu_base(en);
	en->job.bundle_ready = true;
	en->job.state = en->job.origin == ROLE_RUN ? JOB_STARTING : JOB_WAITING;
	*out = en;
	if (ferry_connect(dir, &en->ferry, NULL)) {
		entry_ferry_gone(en);
		return 0;
	}
	/* What it used before the restart was charged then, or is lost with the unsent samples. */
	if (!ferry_status_read(dir, &s, NULL)) {
		en->cpu_known = true;
		en->cpu_last = s.cpu_us;
		entry_update(en, &s);
	}
	return 0;
}

void entry_free(struct entry *en)
{
	if (!en)
		return;
	ferry_client_free(en->ferry);
	json_decref(en->record);
	free(en);
}
