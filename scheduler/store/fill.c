/*
 * Time that nobody read and that is counted by model: what sleeping nodes draw
 * (scheduler/ledger/sleep.h) fills it, and what agents say of it later is counted
 * for the rest.
 */
#include "scheduler/store/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/sleep.h"

int store_filled_ms(struct sqlite_store *s, const struct energy_interval *i, uint64_t *out,
		    struct err *e)
{
	sqlite3_stmt *st = s->st[ST_ENERGY_FILLED];
	int step, r = 0;

	*out = 0;
	(void)sqlite3_bind_text(st, 1, i->node, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 2, SLEEP_INSTANCE, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 3, SLEEP_METER, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 4, (sqlite3_int64)i->to_ms);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		uint64_t a = (uint64_t)sqlite3_column_int64(st, 0);
		uint64_t b = (uint64_t)sqlite3_column_int64(st, 1);

		/* They don't overlap: what comes before ended even earlier. */
		if (b <= i->from_ms)
			break;
		*out += (b < i->to_ms ? b : i->to_ms) - (a > i->from_ms ? a : i->from_ms);
	}
	if (step != SQLITE_DONE && step != SQLITE_ROW)
		r = db_error(s->db, e, "looking for the readings of a sleep");
	(void)sqlite3_reset(st);
	return r;
}

void store_take_off(struct energy_interval *i, uint64_t filled)
{
	uint64_t len = i->to_ms - i->from_ms, known = len > i->gap_ms ? len - i->gap_ms : 0;
	uint64_t of_gap = filled < i->gap_ms ? filled : i->gap_ms, rest = filled - of_gap;
	uint64_t idle = i->idle_uj, system = i->system_uj;

	i->gap_ms -= of_gap;
	i->idle_uj -= rest < known ? ledger_part(idle, rest, known) : idle;
	i->system_uj -= rest < known ? ledger_part(system, rest, known) : system;
	i->energy_uj -= idle - i->idle_uj + system - i->system_uj;
}

/* Of the readings that begin before an interval so many are looked at: one of another meter, or one
 * that came late, may reach over it. */
#define FILL_LOOK_BACK 8

struct hole {
	uint64_t from_ms, to_ms;
};

struct holes {
	struct hole *v; /* owned */
	size_t n;
};

static int add_hole(struct holes *h, uint64_t from_ms, uint64_t to_ms, struct err *e)
{
	struct hole *v;

	if (from_ms >= to_ms)
		return 0;
	v = realloc(h->v, (h->n + 1) * sizeof(*v));
	if (!v)
		return err_set(e, -ENOMEM, "no memory for an energy reading");
	h->v = v;
	v[h->n++] = (struct hole){from_ms, to_ms};
	return 0;
}

/* Takes what a reading covers out of the holes. */
static int cover(struct holes *h, uint64_t from_ms, uint64_t to_ms, struct err *e)
{
	int r = 0;

	for (size_t k = h->n; !r && k--;) {
		struct hole one = h->v[k];

		if (to_ms <= one.from_ms || from_ms >= one.to_ms)
			continue;
		h->v[k] = h->v[--h->n];
		r = add_hole(h, one.from_ms, from_ms, e);
		if (!r)
			r = add_hole(h, to_ms, one.to_ms, e);
	}
	return r;
}

/* The parts of an interval that no counted reading of its node covers. */
static int find_holes(struct sqlite_store *s, const struct energy_interval *i, struct holes *h,
		      struct err *e)
{
	sqlite3_stmt *st = s->st[ST_ENERGY_BEFORE];
	int r = add_hole(h, i->from_ms, i->to_ms, e), look = FILL_LOOK_BACK, step = SQLITE_ROW;

	(void)sqlite3_bind_text(st, 1, i->node, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 2, (sqlite3_int64)i->to_ms);
	while (!r && h->n && look && (step = sqlite3_step(st)) == SQLITE_ROW) {
		uint64_t from_ms = (uint64_t)sqlite3_column_int64(st, 0);

		look -= from_ms < i->from_ms;
		r = cover(h, from_ms, (uint64_t)sqlite3_column_int64(st, 1), e);
	}
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		r = db_error(s->db, e, "looking for energy readings");
	(void)sqlite3_reset(st);
	return r;
}

int sqlite_fill_energy(struct store *base, const struct energy_interval *i, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_free_ struct energy_interval *part = malloc(sizeof(*part));
	struct holes h = {NULL, 0};
	int r = part ? find_holes(s, i, &h, e)
		     : err_set(e, -ENOMEM, "no memory for an energy reading");

	while (!r && h.n--) {
		*part = *i;
		if (ledger_clip(part, h.v[h.n].from_ms, h.v[h.n].to_ms))
			r = store_put_energy(s, part, e);
	}
	free(h.v);
	return r;
}
