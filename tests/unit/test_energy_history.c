/*
 * The whole way of a joule, over random histories: a machine whose true power is
 * known, its wrapping counter, the agent's reading and splitting, reports that come
 * twice or whose agent began anew, sleeps in which nobody reads and whose energy is
 * written by model, the store, and the ledger's sums.
 *
 * Over any stretch of time: node = jobs + idle + system, and all of it equals what
 * the machine truly used while somebody read its meter or it slept, to 0.1 %.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/meter/meter.h"
#include "agent/meter/split.h"
#include "common/clock.h"
#include "common/file.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/series.h"
#include "scheduler/ledger/sleep.h"
#include "scheduler/store/store.h"

#define HISTORIES 300
#define STEPS     60
#define NODES     2
#define JOBS      5
#define WAKE_MS   2000
#define START_MS  1700000000000u

/* ---- chance ------------------------------------------------------------- */

static uint64_t seed, state_of_chance;

static uint64_t rnd(uint64_t below)
{
	state_of_chance = state_of_chance * 6364136223846793005ull + 1442695040888963407ull;
	return (state_of_chance >> 33) % below;
}

static bool once_in(uint64_t n)
{
	return rnd(n) == 0;
}

/* ---- a machine ---------------------------------------------------------- */

struct metered {
	char name[32], instance[32];
	uint64_t idle_uw, core_uw;
	uint64_t range_uj, counter_uj;
	bool unreadable, suspended, quiet; /* quiet: nothing runs, not even the system */
	struct profile profile;
	struct meter meter;
	struct channels channels;
	uint64_t last_uj, last_ns; /* the meter's */
	uint64_t from_ms;          /* of the interval that is open */
	uint64_t job_us[JOBS];     /* CPU time since the last reading */
	uint64_t system_us;
	uint64_t true_uj;             /* since the last reading */
	struct energy_interval *kept; /* read, not yet acknowledged */
	size_t nkept;
	uint64_t sleep_uw;
	struct sleep_state states[STEPS * 4]; /* as the scheduler saw them */
	size_t nstates;
	uint64_t settled_ms;
};

static struct metered machines[NODES];
static uint64_t now_ms, history;
static uint64_t first_job; /* of this history */
static int at[JOBS];       /* which machine runs the job; -1: none */

/* What must come out, of the time that was read. */
static uint64_t known_uj[NODES], known_idle_uj[NODES], known_job_uj[JOBS];

static int counter_read(struct meter *m, const struct meter_input *in, struct meter_delta *d,
			struct err *e)
{
	struct metered *k = m->priv;
	bool first = k->last_ns == 0;

	(void)e;
	if (k->unreadable) {
		bool had = m->last_ns != 0;

		k->last_ns = 0;
		d->gap_ms = (in->now_ns - m->last_ns) / NS_PER_MS;
		return had ? 1 : -1;
	}
	if (in->suspended_ms)
		first = true; /* as channels_forget() has it */
	if (!first && channel_advance(k->last_uj, k->counter_uj, k->range_uj,
				      in->now_ns - k->last_ns, &d->energy_uj))
		d->gap_ms = (in->now_ns - m->last_ns) / NS_PER_MS;
	if (first && m->last_ns)
		d->gap_ms = (in->now_ns - m->last_ns) / NS_PER_MS;
	k->last_uj = k->counter_uj;
	k->last_ns = in->now_ns;
	return m->last_ns ? 1 : 0;
}

static const struct meter_ops counter = {
	.type = "counter", .whole_machine = true, .read = counter_read};

/* An agent starts: it knows nothing of the counter, and has a name of its own. */
static void start_agent(struct metered *k)
{
	static unsigned int instances;

	(void)snprintf(k->instance, sizeof(k->instance), "i%u", ++instances);
	k->meter = (struct meter){.ops = &counter,
				  .channels = &k->channels,
				  .idle_uw = k->idle_uw,
				  .least_uw = UINT64_MAX,
				  .priv = k};
	k->last_ns = 0;
}

static void begin_history(void)
{
	memset(known_uj, 0, sizeof(known_uj));
	memset(known_idle_uj, 0, sizeof(known_idle_uj));
	memset(known_job_uj, 0, sizeof(known_job_uj));
	first_job = 1 + history * JOBS;
	now_ms = START_MS + history * 10000000;
	for (int n = 0; n < NODES; n++) {
		struct metered *k = &machines[n];

		memset(k, 0, sizeof(*k));
		(void)snprintf(k->name, sizeof(k->name), "h%" PRIu64 "-n%d", history, n);
		k->idle_uw = 5000000 + rnd(60000000);
		k->core_uw = 1000000 + rnd(20000000);
		/* A range as processors have it; it wraps within the history. */
		k->range_uj = 262143328850u;
		k->counter_uj = k->range_uj - rnd(2000000000);
		k->sleep_uw = 500000 + rnd(4000000);
		k->settled_ms = now_ms;
		k->states[k->nstates++] = (struct sleep_state){now_ms, NODE_UP};
		start_agent(k);
	}
	for (int j = 0; j < JOBS; j++)
		at[j] = (int)rnd(NODES + 1) - 1;
}

static void end_history(void)
{
	for (int n = 0; n < NODES; n++)
		free(machines[n].kept);
}

/* Time passes: jobs and system use processors, the machine draws what that takes. */
static void pass(uint64_t ms)
{
	now_ms += ms;
	for (int n = 0; n < NODES; n++) {
		struct metered *k = &machines[n];
		uint64_t busy = 0, us, uj;

		for (int j = 0; j < JOBS; j++) {
			us = at[j] == n ? ms * 1000 - rnd(ms * 100 + 1) : 0;
			k->job_us[j] += us;
			busy += us;
		}
		us = k->quiet ? 0 : rnd(ms * 50 + 1);
		k->system_us += us;
		busy += us;
		uj = k->idle_uw * ms / 1000 +
		     (uint64_t)((unsigned __int128)k->core_uw * busy / 1000000);
		k->true_uj += uj;
		k->counter_uj = (k->counter_uj + uj) % k->range_uj;
	}
}

static void keep(struct metered *k, const struct energy_interval *i)
{
	struct energy_interval *v = realloc(k->kept, (k->nkept + 1) * sizeof(*v));

	assert_non_null(v);
	k->kept = v;
	v[k->nkept++] = *i;
}

/* What the machine truly used in an interval that is known. */
static void know(int n, struct metered *k, uint64_t ms)
{
	known_uj[n] += k->true_uj;
	known_idle_uj[n] += k->idle_uw * ms / 1000;
	for (int j = 0; j < JOBS; j++)
		known_job_uj[j] +=
			(uint64_t)((unsigned __int128)k->core_uw * k->job_us[j] / 1000000);
}

/* The agent reads its meter and splits what it says, as agent/sample.c does. */
static void read_meter(int n)
{
	struct metered *k = &machines[n];
	struct energy_interval i = {.counted = true, .from_ms = k->from_ms, .to_ms = now_ms};
	const struct meter_input in = {.now_ns = now_ms * NS_PER_MS, .suspended_ms = k->suspended};
	uint64_t cpu[JOBS], uj[JOBS];
	struct meter_delta d;
	size_t njobs = 0;
	int who[JOBS];

	for (int j = 0; j < JOBS; j++)
		if (k->job_us[j]) {
			who[njobs] = j;
			cpu[njobs++] = k->job_us[j];
		}
	if (meter_read(&k->meter, &in, &d, NULL) == 1) {
		(void)snprintf(i.node, sizeof(i.node), "%s", k->name);
		(void)snprintf(i.instance, sizeof(i.instance), "%s", k->instance);
		(void)snprintf(i.meter, sizeof(i.meter), "counter");
		(void)snprintf(i.source, sizeof(i.source), "rapl");
		(void)snprintf(i.scope, sizeof(i.scope), "package");
		(void)snprintf(i.kind, sizeof(i.kind), "measured");
		i.energy_uj = d.energy_uj;
		i.idle_uj = d.idle_uj;
		i.gap_ms = d.gap_ms;
		energy_split(i.energy_uj, &i.idle_uj, cpu, njobs, k->system_us, uj, &i.system_uj);
		for (size_t s = 0; s < njobs; s++)
			i.jobs[i.njobs++] =
				(struct energy_job){first_job + (uint64_t)who[s], 1, uj[s]};
		keep(k, &i);
		if (!d.gap_ms)
			know(n, k, now_ms - k->from_ms);
	}
	k->from_ms = now_ms;
	k->true_uj = k->system_us = 0;
	k->suspended = false;
	memset(k->job_us, 0, sizeof(k->job_us));
}

/* ---- reporting ---------------------------------------------------------- */

static struct store *store;
static char dir[256];

/* Sends what is kept; when the acknowledgement is lost it will be sent again. */
static void report(struct metered *k, bool acknowledged)
{
	struct err e = ERR_INIT;

	assert_int_equal(store_begin(store, &e), 0);
	for (size_t i = 0; i < k->nkept; i++) {
		assert_int_equal(ledger_check(&k->kept[i], &e), 0);
		assert_int_equal(store_add_energy(store, &k->kept[i], &e), 0);
	}
	assert_int_equal(store_commit(store, &e), 0);
	if (acknowledged)
		k->nkept = 0;
}

static void restart_scheduler(void)
{
	struct err e = ERR_INIT;

	store_close(store);
	if (store_open(&store, dir, &e))
		fail_msg("%s", e.msg);
}

/* ---- sleeping ----------------------------------------------------------- */

static void state(struct metered *k, enum node_state s)
{
	assert_true(k->nstates < sizeof(k->states) / sizeof(k->states[0]));
	k->states[k->nstates++] = (struct sleep_state){now_ms, s};
}

static int fill(uint64_t from_ms, uint64_t to_ms, uint64_t energy_uj, void *arg)
{
	const struct metered *k = arg;
	struct energy_interval i = {.counted = true,
				    .instance = SLEEP_INSTANCE,
				    .meter = SLEEP_METER,
				    .source = "model",
				    .scope = "node",
				    .kind = "modelled",
				    .from_ms = from_ms,
				    .to_ms = to_ms,
				    .energy_uj = energy_uj,
				    .idle_uj = energy_uj};

	(void)snprintf(i.node, sizeof(i.node), "%s", k->name);
	return store_fill_energy(store, &i, NULL);
}

/* The scheduler writes what a node drew asleep; sometimes it ends before it remembers that. */
static void settle(struct metered *k, uint64_t until_ms, bool remembered)
{
	const struct sleep_power p = {.idle_w = (double)k->idle_uw / 1e6,
				      .sleep_w = (double)k->sleep_uw / 1e6,
				      .wake_s = WAKE_MS / 1000.0,
				      .wake_j = (double)k->idle_uw / 1e6 * WAKE_MS / 1000.0};
	uint64_t settled;
	int r;

	if (until_ms <= k->settled_ms)
		return;
	assert_int_equal(store_begin(store, NULL), 0);
	settled = sleep_account(&p, k->states, k->nstates, k->settled_ms, until_ms, fill, k, &r);
	assert_int_equal(r, 0);
	assert_int_equal(store_commit(store, NULL), 0);
	assert_true(settled <= until_ms);
	if (remembered)
		k->settled_ms = settled;
}

/* Passes in a sleep: what the node draws is known by its profile. */
static void pass_known(int n, uint64_t ms, uint64_t uw)
{
	pass(ms);
	known_uj[n] += uw * ms / 1000;
	known_idle_uj[n] += uw * ms / 1000;
	if (once_in(3))
		settle(&machines[n], now_ms - rnd(3000), !once_in(4));
	if (once_in(4))
		report(&machines[n], !once_in(4));
}

static void begin_reading(int n)
{
	struct metered *k = &machines[n];

	start_agent(k);
	k->true_uj = k->system_us = 0;
	memset(k->job_us, 0, sizeof(k->job_us));
	read_meter(n);
}

/* To sleep and up again, with an agent that still reads while it goes and before it is ready. */
static void sleep_and_wake(int n)
{
	struct metered *k = &machines[n];

	for (int j = 0; j < JOBS; j++)
		at[j] = at[j] == n ? -1 : at[j];
	k->unreadable = false;
	for (int i = 0; i < 2; i++) {
		pass(100);
		read_meter(n);
	}
	k->quiet = true;
	state(k, NODE_SLEEPING);
	pass(1 + rnd(1500));
	read_meter(n);
	if (once_in(5)) { /* it could not be put to sleep; its agent went on */
		k->quiet = false;
		state(k, NODE_UP);
		return;
	}
	pass_known(n, 1 + rnd(1000), k->idle_uw);
	state(k, NODE_ASLEEP);
	for (uint64_t parts = 1 + rnd(4); parts; parts--)
		pass_known(n, rnd(10000), k->sleep_uw);
	if (!once_in(6)) { /* else others wake it */
		state(k, NODE_WAKING);
		if (once_in(6)) {
			pass(rnd(5000));
			state(k, NODE_DOWN);
			pass(rnd(5000));
		} else {
			pass_known(n, WAKE_MS + rnd(2000), k->idle_uw);
			begin_reading(n);
			pass(1 + rnd(1000));
			read_meter(n);
		}
	}
	k->quiet = false;
	begin_reading(n);
	state(k, NODE_UP);
}

static void one_step(void)
{
	pass(100 + rnd(1400));
	for (int n = 0; n < NODES; n++) {
		struct metered *k = &machines[n];

		if (once_in(25))
			k->unreadable = !k->unreadable;
		if (once_in(60)) { /* a suspend: the counter begins anew */
			k->counter_uj = rnd(1000);
			k->suspended = true;
		}
		read_meter(n);
		if (once_in(20))
			report(k, !once_in(4));
		if (once_in(40)) { /* ended, and up again a while later; what is kept stays kept */
			pass(rnd(5000));
			begin_reading(n);
		}
		if (once_in(40))
			sleep_and_wake(n);
	}
	if (once_in(6)) /* a job starts, moves or ends */
		at[rnd(JOBS)] = (int)rnd(NODES + 1) - 1;
}

/* ---- what must hold ----------------------------------------------------- */

static void near(const char *what, uint64_t got, uint64_t want)
{
	uint64_t off = got > want ? got - want : want - got;

	/* 0.1 %, or the few microjoules that roundings leave. */
	if (off > want / 1000 && off > 2000)
		fail_msg("seed %" PRIu64 " history %" PRIu64 ": %s is %" PRIu64 " uJ, not %" PRIu64,
			 seed, history, what, got, want);
}

static void add(const struct energy_interval *i, void *arg)
{
	ledger_add(arg, i);
}

static void check_parts(const struct ledger_sum *s)
{
	assert_true(s->balanced);
	assert_int_equal(s->energy_uj, s->idle_uj + s->jobs_uj + s->system_uj);
	assert_true(s->idle_attributed_uj <= s->idle_uj);
}

static void sum_range(uint64_t from, uint64_t to, struct ledger *l)
{
	struct err e = ERR_INIT;

	*l = (struct ledger){.from_ms = from, .to_ms = to};
	assert_int_equal(store_energy(store, from, to, add, l, &e), 0);
	for (size_t n = 0; n < l->nnodes; n++)
		check_parts(&l->nodes[n]);
}

static void check_whole(uint64_t from, uint64_t to)
{
	uint64_t jobs = 0, attributed = 0;
	struct ledger l;

	sum_range(from, to, &l);
	for (size_t n = 0; n < l.nnodes; n++) {
		int which = l.nodes[n].node[strlen(l.nodes[n].node) - 1] - '0';

		near("a node's energy", l.nodes[n].energy_uj, known_uj[which]);
		near("a node's idle energy", l.nodes[n].idle_uj, known_idle_uj[which]);
	}
	for (size_t j = 0; j < l.njobs; j++) {
		near("a job's energy", l.jobs[j].energy_uj,
		     known_job_uj[l.jobs[j].job - first_job]);
		jobs += l.jobs[j].energy_uj;
		attributed += l.jobs[j].idle_attributed_uj;
	}
	/* Both views: with idle attributed or not, jobs and the rest are the nodes. */
	assert_int_equal(jobs, l.total.jobs_uj);
	assert_int_equal(attributed, l.total.idle_attributed_uj);
	assert_int_equal(l.total.energy_uj, jobs + l.total.idle_uj + l.total.system_uj);
	ledger_free(&l);
}

/* Cut anywhere, the pieces add up to the whole: for nodes, jobs, and both kinds of idle. */
static void check_cuts(uint64_t from, uint64_t to)
{
	uint64_t cut = from, energy = 0, jobs = 0, idle = 0;
	struct ledger l, whole;

	sum_range(from, to, &whole);
	while (cut < to) {
		uint64_t next = cut + 1 + rnd(to - from);

		next = next > to ? to : next;
		sum_range(cut, next, &l);
		energy += l.total.energy_uj;
		jobs += l.total.jobs_uj;
		idle += l.total.idle_uj;
		ledger_free(&l);
		cut = next;
	}
	assert_int_equal(energy, whole.total.energy_uj);
	assert_int_equal(jobs, whole.total.jobs_uj);
	assert_int_equal(idle, whole.total.idle_uj);
	ledger_free(&whole);
}

static void to_series(const struct energy_interval *i, void *arg)
{
	series_add(arg, i->node, NULL, i, i->energy_uj);
}

/* The series' buckets hold what the ledger sums over the same time. */
static void check_series(uint64_t from, uint64_t to)
{
	struct series_set s;
	struct ledger l;
	struct err e = ERR_INIT;
	uint64_t energy = 0;

	assert_int_equal(series_init(&s, from, to, 0, 1 + rnd(100), &e), 0);
	from = s.from_ms;
	to = s.from_ms + s.npoints * s.resolution_ms;
	assert_int_equal(store_energy(store, from, to, to_series, &s, &e), 0);
	for (size_t k = 0; k < s.n; k++)
		for (size_t i = 0; i < s.npoints; i++)
			energy += s.v[k].energy_uj[i];
	sum_range(from, to, &l);
	near("a series' energy", energy, l.total.energy_uj);
	series_free(&s);
	ledger_free(&l);
}

static void nothing_is_lost_or_invented_over_random_histories(void **state)
{
	(void)state;
	for (history = 0; history < HISTORIES; history++) {
		uint64_t from;

		begin_history();
		from = now_ms;
		for (int n = 0; n < NODES; n++)
			machines[n].from_ms = now_ms;
		for (int n = 0; n < NODES; n++)
			read_meter(n);
		for (int i = 0; i < STEPS; i++)
			one_step();
		if (once_in(10))
			restart_scheduler();
		for (int n = 0; n < NODES; n++) {
			report(&machines[n], true);
			settle(&machines[n], now_ms, true);
		}
		check_whole(from, now_ms + 1);
		check_cuts(from, now_ms + 1);
		check_series(from, now_ms + 1);
		end_history();
	}
}

static int setup(void **state)
{
	const char *given = getenv("DROVER_SEED");
	struct err e = ERR_INIT;

	(void)state;
	seed = given ? strtoull(given, NULL, 10) : 20250601;
	state_of_chance = seed;
	/* What is tested is arithmetic: no need to wait for a disk. */
	if (!access("/dev/shm", W_OK))
		(void)setenv("TMPDIR", "/dev/shm", 0);
	if (file_temp_dir("drover-energy", dir, sizeof(dir), NULL))
		return -1;
	if (store_open(&store, dir, &e)) {
		print_error("%s\n", e.msg);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	return file_remove_tree(dir, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_or_invented_over_random_histories),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
