/* See sleep.h. */
#include "scheduler/ledger/sleep.h"

#include <math.h>

struct account {
	const struct sleep_power *p;
	uint64_t from_ms, until_ms;
	int (*put)(uint64_t from_ms, uint64_t to_ms, uint64_t energy_uj, void *arg);
	void *arg;
	int r;
};

bool sleep_power_of(const struct node *n, struct sleep_power *out)
{
	*out = (struct sleep_power){n->idle_w, n->sleep_w, n->wake_s, n->wake_j};
	return n->idle_w > 0 && (n->sleep_w > 0 || n->sleep_s > 0 || n->wake_j > 0);
}

/* Constant power from a to b, as far as that lies in the range. */
static void draw(struct account *c, uint64_t a, uint64_t b, double watts)
{
	if (a < c->from_ms)
		a = c->from_ms;
	if (b > c->until_ms)
		b = c->until_ms;
	while (a < b && !c->r) {
		uint64_t to = b - a > SLEEP_READING_MS ? a + SLEEP_READING_MS : b;

		c->r = c->put(a, to, (uint64_t)llround(watts * (double)(to - a) * 1000), c->arg);
		a = to;
	}
}

static void draw_wake(struct account *c, uint64_t a, uint64_t b)
{
	uint64_t own_ms = (uint64_t)llround(c->p->wake_s * 1000);
	uint64_t end = own_ms && own_ms < b - a ? a + own_ms : b;

	/* One that took no time still took its energy. */
	if (end == a)
		end++;
	draw(c, a, end, c->p->wake_j * 1000 / (double)(end - a));
	draw(c, end, b, c->p->idle_w);
}

static bool is_on(enum node_state s)
{
	return s == NODE_UP || s == NODE_DRAINING || s == NODE_DRAINED;
}

uint64_t sleep_account(const struct sleep_power *p, const struct sleep_state *states, size_t n,
		       uint64_t from_ms, uint64_t until_ms,
		       int (*put)(uint64_t from_ms, uint64_t to_ms, uint64_t energy_uj, void *arg),
		       void *arg, int *r)
{
	struct account c = {p, from_ms, until_ms, put, arg, 0};
	uint64_t settled = until_ms;

	for (size_t i = 0; i < n && states[i].time_ms < until_ms && !c.r; i++) {
		uint64_t a = states[i].time_ms, b = i + 1 < n ? states[i + 1].time_ms : UINT64_MAX;
		enum node_state state = states[i].state;
		bool over = b <= until_ms;

		if (state == NODE_ASLEEP) {
			draw(&c, a, b, p->sleep_w);
		} else if ((state == NODE_SLEEPING || state == NODE_WAKING) && !over) {
			settled = a;
		} else if (state == NODE_SLEEPING && states[i + 1].state == NODE_ASLEEP) {
			draw(&c, a, b, p->idle_w);
		} else if (state == NODE_WAKING && is_on(states[i + 1].state)) {
			draw_wake(&c, a, b);
		}
	}
	*r = c.r;
	return settled;
}
