/*
 * The cluster in the store: effects to rows, rows to a cluster.
 */
#include "scheduler/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void to_migration_record(const struct migration *m, struct migration_record *r)
{
	memset(r, 0, sizeof(*r));
	r->m = *m;
	memcpy(r->from, m->from->name, sizeof(r->from));
	memcpy(r->to, m->to->name, sizeof(r->to));
	r->from_isa = m->from->isa;
	r->to_isa = m->to->isa;
}

static int put_job(struct sqlite_store *s, const struct job *j, struct err *e)
{
	_cleanup_free_ char *dependencies = NULL;
	struct job_record r = {.job = *j};

	if (j->spec.ndependencies) {
		dependencies = dependencies_format(&j->spec);
		if (!dependencies)
			return err_set(e, -ENOMEM, "no memory for a job");
	}
	r.dependencies = dependencies;
	return table_write(s->st[ST_JOB_PUT], &table_jobs, &r, e);
}

int store_read_job(sqlite3_stmt *st, struct job_record *out)
{
	int r = table_read(st, &table_jobs, out);

	return r || !out->dependencies ? r : dependencies_parse(out->dependencies, &out->job.spec);
}

static int put_attempt(struct sqlite_store *s, const struct effect *f, struct err *e)
{
	sqlite3_stmt *st = s->st[ST_ATTEMPT_PUT];

	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)f->job->id);
	(void)sqlite3_bind_int64(st, 2, f->attempt);
	(void)sqlite3_bind_text(st, 3, f->node_name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 4, (sqlite3_int64)f->started_ms);
	(void)sqlite3_bind_int64(st, 5, (sqlite3_int64)f->ended_ms);
	(void)sqlite3_bind_text(st, 6, f->outcome, -1, SQLITE_STATIC);
	return store_run(s, ST_ATTEMPT_PUT, "writing an attempt", e);
}

int sqlite_apply(struct store *base, const struct effects *fx, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	struct migration_record mr;
	int r = 0;

	for (size_t i = 0; !r && i < fx->n; i++) {
		const struct effect *f = &fx->v[i];

		switch (f->kind) {
		case FX_JOB:
			r = put_job(s, f->job, e);
			break;
		case FX_ATTEMPT:
			r = put_attempt(s, f, e);
			break;
		case FX_MIGRATION:
			to_migration_record(f->migration, &mr);
			r = table_write(s->st[ST_MIGRATION_PUT], &table_migrations, &mr, e);
			break;
		case FX_NODE:
			r = table_write(s->st[ST_NODE_PUT], &table_nodes, f->node, e);
			break;
		case FX_SEGMENT:
			r = store_put_segment(s, f, e);
			break;
		case FX_DECISION:
			r = store_put_decision(s, f, e);
			break;
		case FX_CHANGE:
			r = store_put_change(s, f, e);
			break;
		case FX_MODEL:
			r = store_put_program(s, f->program, e);
			break;
		case FX_REASON:
		case FX_SUSPEND:
		case FX_RESUME:
		case FX_DESIRED:
			break; /* follows from the others */
		}
	}
	return r;
}

/* ---- loading ------------------------------------------------------------ */

static int load_nodes(struct sqlite_store *s, struct cluster *c, uint64_t now_ms, struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = table_prepare_select(s->db, &table_nodes, "ORDER BY name", &st, e), step;

	if (r)
		return r;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct node *n = calloc(1, sizeof(*n));

		if (n && !table_read(st, &table_nodes, n)) {
			n->seen_ms = now_ms;
			if (n->power == POWER_ON)
				n->changed_ms = now_ms;
			if (!cluster_adopt_node(c, n))
				continue;
		}
		node_free(n);
		return err_set(e, -ENOMEM, "no memory for the nodes");
	}
	return step == SQLITE_DONE ? 0 : db_error(s->db, e, "reading the nodes");
}

static int load_jobs(struct sqlite_store *s, struct cluster *c, uint64_t now_ms, struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = table_prepare_select(s->db, &table_jobs, "WHERE state < 3 ORDER BY state = 0, id",
				     &st, e),
	    step;

	_Static_assert(JOB_PENDING == 0 && JOB_COMPLETED == 3,
		       "the query selects the live states, those that wait last");
	if (r)
		return r;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct job_record rec = {0};
		struct job *j = calloc(1, sizeof(*j));

		if (!j || store_read_job(st, &rec)) {
			job_record_free(&rec);
			free(j);
			return err_set(e, -ENOMEM, "no memory for the jobs");
		}
		*j = rec.job;
		free(rec.dependencies);
		j->present_ms = now_ms;
		r = cluster_adopt_job(
			c, j, j->state == JOB_PENDING ? NULL : cluster_node(c, j->last_node));
		if (r) {
			err_set(e, -EUCLEAN, "the database contradicts itself about job %" PRIu64,
				j->id);
			job_free(j);
			return r == -ENOMEM ? r
					    : err_hint(e, "see \"A damaged database\" in "
							  "docs/scheduler.md");
		}
	}
	return step == SQLITE_DONE ? 0 : db_error(s->db, e, "reading the jobs");
}

static int load_migrations(struct sqlite_store *s, struct cluster *c, struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = table_prepare_select(s->db, &table_migrations, "WHERE state < 4 ORDER BY id", &st,
				     e),
	    step;

	_Static_assert(MIG_DONE == 4, "the query selects the active states");
	if (r)
		return r;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct migration_record rec = {0};
		struct migration *m = calloc(1, sizeof(*m));

		if (!m || table_read(st, &table_migrations, &rec)) {
			free(m);
			return err_set(e, -ENOMEM, "no memory for the migrations");
		}
		*m = rec.m;
		m->from = cluster_node(c, rec.from);
		m->to = cluster_node(c, rec.to);
		r = cluster_adopt_migration(c, m);
		if (r) {
			err_set(e, -EUCLEAN,
				"the database contradicts itself about migration m%" PRIu64, m->id);
			free(m);
			return err_hint(e, "see \"A damaged database\" in docs/scheduler.md");
		}
	}
	return step == SQLITE_DONE ? 0 : db_error(s->db, e, "reading the migrations");
}

static int max_id(struct sqlite_store *s, const char *sql, uint64_t *next, struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(s->db, sql, &st, e);

	if (r)
		return r;
	if (sqlite3_step(st) != SQLITE_ROW)
		return db_error(s->db, e, "reading the last number");
	*next = (uint64_t)sqlite3_column_int64(st, 0) + 1;
	return 0;
}

static int count_ended(struct sqlite_store *s, const char *sql, uint64_t *counts, int n,
		       struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(s->db, sql, &st, e), step;

	if (r)
		return r;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		int state = sqlite3_column_int(st, 0);

		if (state >= 0 && state < n)
			counts[state] = (uint64_t)sqlite3_column_int64(st, 1);
	}
	return step == SQLITE_DONE ? 0 : db_error(s->db, e, "counting");
}

int sqlite_load(struct store *base, struct cluster *c, uint64_t now_ms, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	int r;

	/* Unequal to any revision of an earlier scheduler, and exact in a double. */
	c->next_revision = (s->epoch << 32) + c->next_revision;
	c->now_ms = now_ms;
	r = store_load_programs(s, c, e);
	if (!r)
		r = load_nodes(s, c, now_ms, e);
	if (!r)
		r = load_jobs(s, c, now_ms, e);
	if (!r)
		r = load_migrations(s, c, e);
	if (!r)
		r = max_id(s, "SELECT coalesce(max(id), 0) FROM jobs", &c->next_job, e);
	if (!r)
		r = max_id(s, "SELECT coalesce(max(id), 0) FROM migrations", &c->next_migration, e);
	if (!r)
		r = count_ended(s,
				"SELECT state, count(*) FROM jobs WHERE state > 2 GROUP BY state",
				c->jobs_ended, JOB_STATE_COUNT, e);
	if (!r)
		r = count_ended(s,
				"SELECT state, count(*) FROM migrations WHERE state > 3"
				" GROUP BY state",
				c->migrations_ended, MIG_STATE_COUNT, e);
	return r;
}
