/*
 * The store, whichever back end keeps it.
 */
#include "scheduler/store/backend.h"

#include <errno.h>
#include <string.h>

static const struct store_backend *const backends[] = {&store_sqlite, NULL};

const struct store_backend *store_backend_find(const char *name)
{
	for (size_t i = 0; backends[i]; i++)
		if (!strcmp(backends[i]->name, name))
			return backends[i];
	return NULL;
}

int store_open_with(const struct store_backend *backend, struct store **out, const char *state_dir,
		    struct err *e)
{
	return backend->open(out, state_dir, e);
}

int store_open(struct store **out, const char *state_dir, struct err *e)
{
	return store_open_with(&store_sqlite, out, state_dir, e);
}

void job_record_free(struct job_record *r)
{
	job_spec_free(&r->job.spec);
}

void store_close(struct store *s)
{
	if (s)
		s->backend->close(s);
}

uint64_t store_epoch(const struct store *s)
{
	return s->backend->epoch(s);
}

const char *store_dir(const struct store *s)
{
	return s->backend->dir(s);
}

int store_ping(struct store *s, struct err *e)
{
	return s->backend->ping(s, e);
}

int store_begin(struct store *s, struct err *e)
{
	return s->backend->begin(s, e);
}

int store_commit(struct store *s, struct err *e)
{
	return s->backend->commit(s, e);
}

void store_rollback(struct store *s)
{
	s->backend->rollback(s);
}

int store_load(struct store *s, struct cluster *c, uint64_t now_ms, struct err *e)
{
	return s->backend->load(s, c, now_ms, e);
}

int store_apply(struct store *s, const struct effects *fx, struct err *e)
{
	return s->backend->apply(s, fx, e);
}

int store_job(struct store *s, uint64_t id, struct job_record *out, struct err *e)
{
	return s->backend->job(s, id, out, e);
}

int store_migration(struct store *s, uint64_t id, struct migration_record *out, struct err *e)
{
	return s->backend->migration(s, id, out, e);
}

bool store_has_handed_on(struct store *s, uint64_t job, uint32_t attempt, const char *node)
{
	return s->backend->has_handed_on(s, job, attempt, node);
}

int store_jobs(struct store *s, const struct job_filter *f,
	       void (*fn)(struct job_record *r, void *arg), void *arg, struct job_cursor *next,
	       struct err *e)
{
	return s->backend->jobs(s, f, fn, arg, next, e);
}

int store_count_jobs(struct store *s, const struct job_filter *f, uint64_t *n, struct err *e)
{
	return s->backend->count_jobs(s, f, n, e);
}

int store_migrations(struct store *s, uint64_t job, bool newest, uint64_t after, unsigned int limit,
		     void (*fn)(struct migration_record *r, void *arg), void *arg, struct err *e)
{
	return s->backend->migrations(s, job, newest, after, limit, fn, arg, e);
}

int store_segments(struct store *s, uint64_t job,
		   void (*fn)(const struct segment_record *r, void *arg), void *arg, struct err *e)
{
	return s->backend->segments(s, job, fn, arg, e);
}

int store_decisions(struct store *s, uint64_t job,
		    void (*fn)(const struct decision_record *r, void *arg), void *arg,
		    struct err *e)
{
	return s->backend->decisions(s, job, fn, arg, e);
}

int store_changes(struct store *s, const char *node, bool newest, uint64_t after,
		  unsigned int limit, void (*fn)(const struct change_record *r, void *arg),
		  void *arg, struct err *e)
{
	return s->backend->changes(s, node, newest, after, limit, fn, arg, e);
}

int store_setting(struct store *s, const char *key, char **out, struct err *e)
{
	return s->backend->setting(s, key, out, e);
}

int store_set_setting(struct store *s, const char *key, const char *value, struct err *e)
{
	return s->backend->set_setting(s, key, value, e);
}

int store_idempotency(struct store *s, const char *key, uint64_t *job, char digest[CORE_SHA_SIZE],
		      struct err *e)
{
	return s->backend->idempotency(s, key, job, digest, e);
}

int store_add_idempotency(struct store *s, const char *key, uint64_t job, const char *digest,
			  uint64_t now_ms, struct err *e)
{
	return s->backend->add_idempotency(s, key, job, digest, now_ms, e);
}

int store_forget_keys(struct store *s, uint64_t before_ms, struct err *e)
{
	return s->backend->forget_keys(s, before_ms, e);
}

int store_add_energy(struct store *s, const struct energy_interval *i, struct err *e)
{
	return s->backend->add_energy(s, i, e);
}

int store_fill_energy(struct store *s, const struct energy_interval *i, struct err *e)
{
	return s->backend->fill_energy(s, i, e);
}

int store_energy(struct store *s, uint64_t from_ms, uint64_t to_ms,
		 void (*fn)(const struct energy_interval *i, void *arg), void *arg, struct err *e)
{
	return s->backend->energy(s, from_ms, to_ms, fn, arg, e);
}

int store_job_energy(struct store *s, uint64_t job,
		     void (*fn)(const struct energy_interval *i, uint32_t attempt,
				uint64_t energy_uj, uint64_t idle_uj, void *arg),
		     void *arg, struct err *e)
{
	return s->backend->job_energy(s, job, fn, arg, e);
}

int store_age_energy(struct store *s, uint64_t now_ms, uint64_t keep_ms, bool *more, struct err *e)
{
	return s->backend->age_energy(s, now_ms, keep_ms, more, e);
}

int store_energy_totals(struct store *s, void (*fn)(const struct energy_total *t, void *arg),
			void *arg, struct err *e)
{
	return s->backend->energy_totals(s, fn, arg, e);
}

int store_add_bundle(struct store *s, const struct bundle_record *b, int fd, struct err *e)
{
	return s->backend->add_bundle(s, b, fd, e);
}

int store_bundle(struct store *s, const char *sha, struct bundle_record *out, struct err *e)
{
	return s->backend->bundle(s, sha, out, e);
}

int store_bundles(struct store *s, void (*fn)(const struct bundle_record *b, void *arg), void *arg,
		  struct err *e)
{
	return s->backend->bundles(s, fn, arg, e);
}

int store_open_bundle(struct store *s, const char *sha, struct err *e)
{
	return s->backend->open_bundle(s, sha, e);
}

uint64_t store_log_size(struct store *s, uint64_t job, uint32_t attempt)
{
	return s->backend->log_size(s, job, attempt);
}

int store_append_log(struct store *s, uint64_t job, uint32_t attempt, uint64_t offset,
		     const void *data, size_t len, uint64_t *held, struct err *e)
{
	return s->backend->append_log(s, job, attempt, offset, data, len, held, e);
}

int store_open_log(struct store *s, uint64_t job, uint32_t attempt)
{
	return s->backend->open_log(s, job, attempt);
}
