/*
 * Requests that wait: a list for each bucket of channels, and a thread that wakes
 * those whose time is over.
 */
#include "common/http_internal.h"

#include "common/clock.h"

static void unlink_parked(struct http_exchange *rq)
{
	*rq->park_at = rq->park_next;
	if (rq->park_next)
		rq->park_next->park_at = rq->park_at;
	rq->parked = false;
}

static void park(struct http_exchange *rq, uint64_t channel, uint64_t wake_ns)
{
	struct http_server *s = rq->server;
	struct http_exchange **bucket = &s->parked[channel % PARK_BUCKETS];

	pthread_mutex_lock(&s->lock);
	rq->channel = channel;
	rq->wake_ns = wake_ns;
	if (s->stopping) {
		/* Come back at once: the server answers itself then. */
		MHD_suspend_connection(rq->conn);
		MHD_resume_connection(rq->conn);
	} else {
		rq->park_next = *bucket;
		rq->park_at = bucket;
		if (*bucket)
			(*bucket)->park_at = &rq->park_next;
		*bucket = rq;
		rq->parked = true;
		MHD_suspend_connection(rq->conn);
		if (wake_ns < s->timer_ns)
			pthread_cond_signal(&s->cond);
	}
	pthread_mutex_unlock(&s->lock);
}

static void resume(struct http_exchange *rq, bool expired)
{
	rq->expired = expired;
	unlink_parked(rq);
	MHD_resume_connection(rq->conn);
}

/* Resumes the parked requests of a channel. */
static void resume_channel(struct http_server *s, uint64_t channel)
{
	struct http_exchange *rq, *next;

	for (rq = s->parked[channel % PARK_BUCKETS]; rq; rq = next) {
		next = rq->park_next;
		if (rq->channel == channel)
			resume(rq, false);
	}
}

/* Resumes those that are past their time; all of them when the server stops. */
static void resume_due(struct http_server *s, uint64_t now_ns)
{
	struct http_exchange *rq, *next;

	for (unsigned int b = 0; b < PARK_BUCKETS; b++)
		for (rq = s->parked[b]; rq; rq = next) {
			next = rq->park_next;
			if (s->stopping || rq->wake_ns <= now_ns)
				resume(rq, true);
		}
}

static uint64_t next_wake(const struct http_server *s)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int b = 0; b < PARK_BUCKETS; b++)
		for (struct http_exchange *rq = s->parked[b]; rq; rq = rq->park_next)
			if (rq->wake_ns < first)
				first = rq->wake_ns;
	return first;
}

void *http_park_timer(void *arg)
{
	struct http_server *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		uint64_t now = clock_monotonic_ns(), at;

		resume_due(s, now);
		at = s->timer_ns = next_wake(s);
		if (at == UINT64_MAX) {
			pthread_cond_wait(&s->cond, &s->lock);
		} else {
			struct timespec ts = {.tv_sec = (time_t)(at / NS_PER_S),
					      .tv_nsec = (long)(at % NS_PER_S)};

			pthread_cond_timedwait(&s->cond, &s->lock, &ts);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

void http_server_wake(struct http_server *s, uint64_t channel)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	resume_channel(s, channel);
	pthread_mutex_unlock(&s->lock);
}

void http_park(struct http_exchange *rq, uint64_t channel, uint64_t wait_ms)
{
	if (!rq->deadline_ns)
		rq->deadline_ns = clock_monotonic_ns() + wait_ms * NS_PER_MS;
	rq->replied = true;
	park(rq, channel, rq->deadline_ns);
}

void http_stream_park(struct http_exchange *rq, uint64_t channel, uint64_t wait_ms)
{
	park(rq, channel, clock_monotonic_ns() + wait_ms * NS_PER_MS);
}

bool http_expired(const struct http_exchange *rq)
{
	return rq->expired;
}

void http_park_forget(struct http_exchange *rq)
{
	pthread_mutex_lock(&rq->server->lock);
	if (rq->parked)
		unlink_parked(rq);
	pthread_mutex_unlock(&rq->server->lock);
}

void http_park_wake_all(struct http_server *s)
{
	resume_due(s, 0);
}

bool http_stopping(struct http_server *s)
{
	bool stopping;

	pthread_mutex_lock(&s->lock);
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return stopping;
}
