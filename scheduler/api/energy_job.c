/* A job's energy by where it ran, over REST: docs/formats/rest.md, Energy. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "scheduler/api/auth.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/render.h"
#include "scheduler/ledger/segments.h"

#define MOVES_MAX 1024

struct moves {
	struct segment_move v[MOVES_MAX];
	char names[MOVES_MAX][2][CORE_NAME_MAX];
	size_t n;
};

static void add_move(struct migration_record *r, void *arg)
{
	struct moves *m = arg;
	struct segment_move *v;

	if (!r->m.committed_ms || m->n == MOVES_MAX)
		return;
	v = &m->v[m->n];
	memcpy(m->names[m->n][0], r->from, sizeof(r->from));
	memcpy(m->names[m->n][1], r->to, sizeof(r->to));
	*v = (struct segment_move){.attempt = r->m.attempt,
				   .epoch = r->m.next_epoch,
				   .from = m->names[m->n][0],
				   .to = m->names[m->n][1],
				   .from_isa = r->from_isa,
				   .to_isa = r->to_isa,
				   .committed_ms = r->m.committed_ms};
	m->n++;
}

static int by_epoch(const void *pa, const void *pb)
{
	const struct segment_move *a = pa, *b = pb;

	if (a->attempt != b->attempt)
		return a->attempt < b->attempt ? -1 : 1;
	return (a->epoch > b->epoch) - (a->epoch < b->epoch);
}

static void add_reading(const struct energy_interval *i, uint32_t attempt, uint64_t energy_uj,
			uint64_t idle_uj, void *arg)
{
	struct segment_reading r = {.attempt = attempt,
				    .from_ms = i->from_ms,
				    .to_ms = i->to_ms,
				    .energy_uj = energy_uj,
				    .idle_uj = idle_uj};

	memcpy(r.node, i->node, sizeof(r.node));
	memcpy(r.source, i->source, sizeof(r.source));
	memcpy(r.scope, i->scope, sizeof(r.scope));
	memcpy(r.kind, i->kind, sizeof(r.kind));
	segments_add(arg, &r);
}

static json_t *render_segment(const struct segment *s, const struct cluster *c)
{
	const struct node *n = cluster_node(c, s->node);
	int isa = s->isa >= 0 ? s->isa : n ? (int)n->isa : -1;
	json_t *o = render_job_sum(&s->sum);

	(void)json_object_set_new(o, "attempt", json_integer(s->attempt));
	(void)json_object_set_new(o, "epoch", json_integer(s->epoch));
	(void)json_object_set_new(o, "node", json_string(s->node));
	(void)json_object_set_new(o, "isa",
				  isa >= 0 ? json_string(isa_name((enum isa)isa)) : json_null());
	(void)json_object_set_new(o, "emulated", json_boolean(n && n->emulated));
	if (s->from_ms)
		(void)json_object_set_new(o, "from_ms", json_integer((json_int_t)s->from_ms));
	if (s->to_ms)
		(void)json_object_set_new(o, "to_ms", json_integer((json_int_t)s->to_ms));
	return o;
}

static json_t *render_segments(uint64_t job, const struct segments *s, const struct cluster *c)
{
	json_t *list = json_array();
	char id[24];

	(void)snprintf(id, sizeof(id), "%" PRIu64, job);
	for (size_t i = 0; i < s->n; i++)
		(void)json_array_append_new(list, render_segment(&s->v[i], c));
	return json_pack("{s:s, s:o, s:o}", "job", id, "total", render_job_sum(&s->total),
			 "segments", list);
}

void handle_job_energy(struct http_exchange *rq, void *ctx)
{
	struct moves *moves = calloc(1, sizeof(*moves));
	struct segments segments = {0};
	struct job_record rec = {0};
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	struct job *live;

	if (!moves) {
		http_reply_problem(rq, 500, "no memory for the job's moves", NULL);
		return;
	}
	if (!engine_lock_or_reply(en, rq)) {
		free(moves);
		return;
	}
	if (find_job(en, rq, &rec, &live) && !auth_sees_energy(rq, &en->auth, rec.job.spec.user)) {
		http_reply_problem(rq, 403, "the energy of other users' jobs is not shown to you",
				   "an operator may grant it: drover token --energy-of-all, or "
				   "droverd --open-energy");
	} else if (rec.job.id) {
		if (!store_migrations(en->store, rec.job.id, false, 0, MOVES_MAX, add_move, moves,
				      &e)) {
			qsort(moves->v, moves->n, sizeof(moves->v[0]), by_epoch);
			segments_init(&segments, moves->v, moves->n);
			(void)store_job_energy(en->store, rec.job.id, add_reading, &segments, &e);
		}
		if (e.code)
			http_reply_err(rq, &e);
		else if (segments.failed)
			http_reply_problem(rq, 500, "no memory for the job's segments", NULL);
		else
			http_reply_json(rq, 200,
					render_segments(rec.job.id, &segments, en->cluster));
	}
	engine_unlock(en);
	job_record_free(&rec);
	segments_free(&segments);
	free(moves);
}
