/*
 * How fast the scheduler's core decides: a full cluster with a long queue, in
 * which one job after the other ends, another is submitted, and what waits is
 * started. Nothing else than the core runs: no store, no network, no clock but
 * the one that measures.
 *
 *	decisions NODES QUEUED DECISIONS POLICY -> one line:
 *	nodes queued policy decisions seconds per_second us_per_decision bytes_per_job
 *
 * The policy `peer` is no scheduler but what the growth is to be compared with:
 * the C library's balanced tree (tsearch) over as many records of a job's size,
 * where a step adds one, rewrites one and removes one.
 */
#include <malloc.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/compiler.h"
#include "scheduler/core/core.h"
#include "scheduler/policy/policy.h"

struct bench {
	struct cluster *c;
	struct effects fx;
	uint64_t now, seed, placed;
	uint64_t *running; /* ids; those that ended are replaced */
	size_t nrunning, cap;
};

static uint32_t rnd(struct bench *b, uint32_t below)
{
	b->seed = b->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(b->seed >> 33) % below;
}

static void die(const char *what)
{
	(void)fprintf(stderr, "decisions: %s\n", what);
	exit(1);
}

/* What a shell does with effects: here it only takes note of starts. */
static void settle(struct bench *b)
{
	if (b->fx.failed)
		die("no memory");
	for (size_t i = 0; i < b->fx.n; i++) {
		const struct effect *f = &b->fx.v[i];

		if (f->kind != FX_DECISION || strcmp(f->what, "place") != 0)
			continue;
		b->placed++;
		if (b->nrunning == b->cap) {
			b->cap = b->cap ? 2 * b->cap : 1024;
			b->running = realloc(b->running, b->cap * sizeof(*b->running));
			if (!b->running)
				die("no memory");
		}
		b->running[b->nrunning++] = f->job->id;
	}
	b->fx.n = 0; /* the room is used again */
	cluster_reap(b->c);
}

static void add_nodes(struct bench *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct node intro = {.isa = i % 2 ? ISA_AARCH64 : ISA_X86_64,
				     .cpus = i % 4 < 2 ? 8 : 16,
				     .memory_bytes = 64ull << 30,
				     .idle_w = i % 2 ? 20 : 40,
				     .core_w = i % 2 ? 3.75 : 15,
				     .sleep_w = 5,
				     .wake_s = 30,
				     .wake_j = 1000,
				     .speed = i % 2 ? 0.4 : 1};
		struct node *out;

		(void)snprintf(intro.name, sizeof(intro.name), "n%u", i);
		(void)snprintf(intro.instance, sizeof(intro.instance), "i");
		if (core_introduce(b->c, b->now, &intro, &out, &b->fx))
			die("a node was refused");
		settle(b);
	}
}

static void submit(struct bench *b)
{
	static const uint32_t isas[] = {1, 2, 3, 3, 3, 3};
	struct job_spec spec = {.cpus = 1u << rnd(b, 4),
				.isas = isas[rnd(b, 6)],
				.memory_bytes = (1ull << 30) * (1 + rnd(b, 4)),
				.priority = (int32_t)rnd(b, 5),
				.time_limit_s = 60 * (1 + rnd(b, 60)),
				.max_restarts = 3};
	struct job *j;

	(void)snprintf(spec.name, sizeof(spec.name), "program-%u", rnd(b, 50));
	spec.launch = strdup("{\"args\":[],\"env\":{},\"stdin\":null}");
	if (!spec.launch || core_submit(b->c, b->now, &spec, &j, &b->fx))
		die("a job was refused");
}

static void end_one(struct bench *b)
{
	size_t k = rnd(b, (uint32_t)b->nrunning);
	struct job *j = cluster_job(b->c, b->running[k]);
	struct job_report r = {.id = j->id,
			       .attempt = j->attempt,
			       .epoch = j->epoch,
			       .state = SEEN_EXITED,
			       .cpu_us = 1000};
	struct node_report report = {.revision = j->node->revision, .jobs = &r, .njobs = 1};

	b->running[k] = b->running[--b->nrunning];
	core_report(b->c, b->now, j->node, &report, &b->fx);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Apart, so that valgrind --tool=callgrind --toggle-collect=measure counts its instructions. */
_noinline_ static void measure(struct bench *b, uint64_t queued, uint64_t wanted)
{
	while (b->placed < wanted) {
		b->now += 10;
		end_one(b);
		while (b->c->npending < queued)
			submit(b);
		core_tick(b->c, b->now, &b->fx);
		core_schedule(b->c, b->now, &b->fx);
		settle(b);
	}
}

struct record {
	uint64_t key;
	char rest[sizeof(struct job) - sizeof(uint64_t)];
};

static int compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static struct record *add_record(void **root, uint64_t key)
{
	struct record *r = calloc(1, sizeof(*r));

	if (!r)
		die("no memory");
	r->key = key;
	if (!tsearch(r, root, compare_records))
		die("no memory");
	return r;
}

/* The records in a ring of pointers; keys ascend as jobs' ids do. */
static double measure_peer(struct bench *b, uint64_t n, uint64_t steps)
{
	struct record **v = calloc(n, sizeof(struct record *));
	void *root = NULL;
	uint64_t key = 0;
	double began;

	if (!v)
		die("no memory");
	for (uint64_t i = 0; i < n; i++)
		v[i] = add_record(&root, ++key);
	began = seconds();
	for (uint64_t i = 0; i < steps; i++) {
		struct record **out = &v[rnd(b, (uint32_t)n)], *moved = v[rnd(b, (uint32_t)n)];

		(void)tdelete(moved, &root, compare_records);
		moved->key = ++key;
		memset(moved->rest, (int)i, sizeof(moved->rest));
		if (!tsearch(moved, &root, compare_records))
			die("no memory");
		(void)tdelete(*out, &root, compare_records);
		free(*out);
		*out = add_record(&root, ++key);
	}
	began = seconds() - began;
	for (uint64_t i = 0; i < n; i++) {
		(void)tdelete(v[i], &root, compare_records);
		free(v[i]);
	}
	free(v);
	return began;
}

static void print(const char *name, uint32_t nodes, uint64_t queued, uint64_t n, double s,
		  double bytes)
{
	printf("%u %llu %s %llu %.3f %.0f %.2f %.0f\n", nodes, (unsigned long long)queued, name,
	       (unsigned long long)n, s, (double)n / s, s / (double)n * 1e6, bytes);
}

int main(int argc, char **argv)
{
	struct bench b = {.now = 1000000, .seed = 1};
	struct core_options opt = core_options_default;
	struct policy_options po = policy_options_default;
	const struct policy *p = argc == 5 ? policy_find(argv[4]) : NULL;
	bool peer = argc == 5 && !strcmp(argv[4], "peer");
	uint32_t nodes = argc == 5 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	uint64_t queued = argc == 5 ? strtoull(argv[2], NULL, 10) : 0,
		 wanted = argc == 5 ? strtoull(argv[3], NULL, 10) : 0;
	double began, took, before;

	if ((!p && !peer) || !nodes || !queued || !wanted) {
		(void)fprintf(stderr, "usage: decisions NODES QUEUED DECISIONS POLICY|peer\n");
		return 2;
	}
	if (peer) {
		/* As many as wait and run there: a node holds three of the jobs on average. */
		took = measure_peer(&b, queued + 3ull * nodes, wanted);
		print("peer", nodes, queued, wanted, took, sizeof(struct record));
		return 0;
	}
	opt.node_unknown_ms = opt.node_down_ms = UINT64_MAX / 4;
	opt.start_ms = UINT64_MAX / 4;
	b.c = cluster_new(&opt);
	if (!b.c)
		die("no memory");
	core_set_policy(b.c, p, &po);
	add_nodes(&b, nodes);
	before = (double)mallinfo2().uordblks;
	for (uint64_t i = 0; i < queued; i++)
		submit(&b);
	settle(&b);
	before = ((double)mallinfo2().uordblks - before) / (double)queued;
	/* Until nothing more of the queue fits: every size is measured full. */
	do {
		b.placed = 0;
		core_schedule(b.c, b.now, &b.fx);
		settle(&b);
		while (b.c->npending < queued)
			submit(&b);
		settle(&b);
	} while (b.placed);
	b.placed = 0;
	began = seconds();
	measure(&b, queued, wanted);
	took = seconds() - began;
	print(p->name, nodes, queued, b.placed, took, before);
	effects_free(&b.fx);
	cluster_free(b.c);
	free(b.running);
	return 0;
}
