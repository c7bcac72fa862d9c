/*
 * Server-sent events: a ring of the last EVENT_RING, read by id.
 */
#include <inttypes.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/render.h"

#define KEEPALIVE_MS 15000

static char *event_text(const json_t *data)
{
	return data ? json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
}

void events_add(struct engine *en, const char *type, json_t *data)
{
	struct event *ev = &en->ring[en->next_event % EVENT_RING];

	free(ev->data);
	free(ev->closed);
	*ev = (struct event){.id = en->next_event, .data = event_text(data)};
	(void)snprintf(ev->type, sizeof(ev->type), "%s", type);
	json_decref(data);
	en->next_event++;
}

static void add_job(struct engine *en, const struct job *j)
{
	struct event *ev = &en->ring[en->next_event % EVENT_RING];
	json_t *o = render_job(NULL, j);

	events_add(en, "job", json_incref(o));
	if (en->auth.required && !en->auth.open_energy) {
		memcpy(ev->owner, j->spec.user, sizeof(ev->owner));
		auth_hide_energy(o);
		ev->closed = event_text(o);
	}
	json_decref(o);
}

void events_publish(struct engine *en, const struct effects *fx)
{
	uint64_t before = en->next_event;

	for (size_t i = 0; i < fx->n; i++) {
		const struct effect *f = &fx->v[i];

		if (effect_told_later(fx, i))
			continue;
		if (f->kind == FX_JOB || f->kind == FX_REASON) {
			add_job(en, f->job);
			if (job_is_over(f->job))
				http_server_wake(en->http, channel_of_log(f->job->id));
		} else if (f->kind == FX_MIGRATION) {
			events_add(en, "migration", render_live_migration(f->migration));
		} else if (f->kind == FX_NODE) {
			events_add(en, "node", render_node(f->node, engine_now_ms()));
		} else if (f->kind == FX_DESIRED) {
			http_server_wake(en->http, channel_of_node(f->node->name));
		}
	}
	if (en->next_event != before)
		http_server_wake(en->http, CHANNEL_EVENTS);
}

void events_free(struct engine *en)
{
	for (size_t i = 0; i < EVENT_RING; i++) {
		free(en->ring[i].data);
		free(en->ring[i].closed);
	}
}

/* ---- a listener --------------------------------------------------------- */

struct listener {
	struct engine *en;
	const struct http_exchange *rq; /* whose role decides what is shown */
	uint64_t next;
	struct buf out; /* not sent yet */
	bool waited;
};

/* The event as this listener may see it. */
static const char *text_for(const struct listener *l, const struct event *ev)
{
	return ev->closed && !auth_sees_energy(l->rq, &l->en->auth, ev->owner) ? ev->closed
									       : ev->data;
}

static void fill(struct listener *l)
{
	struct engine *en = l->en;

	/* What fell out of the ring is gone: say so, a listener may read the lists again. */
	if (l->next + EVENT_RING < en->next_event || !en->ring[l->next % EVENT_RING].data) {
		if (l->next < en->next_event)
			(void)buf_printf(&l->out, "event: gap\ndata: {}\n\n");
		while (l->next < en->next_event && (l->next + EVENT_RING < en->next_event ||
						    en->ring[l->next % EVENT_RING].id != l->next))
			l->next++;
	}
	while (l->next < en->next_event && l->out.len < 32768) {
		const struct event *ev = &en->ring[l->next % EVENT_RING];

		if (ev->data)
			(void)buf_printf(&l->out, "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n",
					 ev->id, ev->type, text_for(l, ev));
		l->next++;
	}
}

static int64_t listener_read(struct http_exchange *rq, void *state, char *buf, size_t max)
{
	uint64_t expires_s = http_principal(rq)->expires_s;
	struct listener *l = state;
	struct err e = ERR_INIT;
	int64_t n;

	/* A stream ends with the token it was opened with. */
	if (expires_s && clock_realtime_ns() / NS_PER_S >= expires_s)
		return HTTP_STREAM_END;
	if (engine_lock(l->en, &e))
		return HTTP_STREAM_END;
	if (!l->out.len)
		fill(l);
	if (!l->out.len && l->waited && http_expired(rq))
		(void)buf_str(&l->out, ": still here\n\n");
	l->waited = false;
	if (!l->out.len) {
		l->waited = true;
		http_stream_park(rq, CHANNEL_EVENTS, KEEPALIVE_MS);
		n = HTTP_STREAM_WAIT;
	} else {
		n = (int64_t)(l->out.len < max ? l->out.len : max);
		memcpy(buf, l->out.data, (size_t)n);
		buf_consume(&l->out, (size_t)n);
	}
	engine_unlock(l->en);
	return n;
}

static void listener_free(void *state)
{
	struct listener *l = state;

	buf_free(&l->out);
	free(l);
}

void handle_events(struct http_exchange *rq, void *ctx)
{
	const char *last = http_header(rq, "Last-Event-ID");
	struct engine *en = ctx;
	struct listener *l = calloc(1, sizeof(*l));
	struct err e = ERR_INIT;
	uint64_t first, id;

	if (!l || engine_lock(en, &e)) {
		free(l);
		http_reply_problem(rq, 503, "no events at the moment", NULL);
		return;
	}
	l->en = en;
	l->rq = rq;
	buf_init(&l->out, 1024 * 1024);
	/* The first id of this scheduler; one from an earlier scheduler names a gap. */
	first = (store_epoch(en->store) << 32) + 1;
	l->next = en->next_event;
	id = last ? strtoull(last, NULL, 10) : 0;
	if (last && id < en->next_event) {
		l->next = id + 1 < first ? first : id + 1;
		if (id + 1 < first)
			(void)buf_str(&l->out, "event: gap\ndata: {}\n\n");
	}
	(void)buf_str(&l->out, ": drover\n\n"); /* headers go out at once */
	engine_unlock(en);
	http_add_header(rq, "Cache-Control", "no-store");
	http_reply_stream(rq, 200, "text/event-stream",
			  (struct http_stream){listener_read, listener_free, l});
}
