/*
 * The thread that reads the meters and charges the node's energy to jobs.
 *
 * On a thread of its own, so that a slow scheduler or disk does not make gaps.
 * Each reading closes one interval: node = idle + system + jobs, exactly
 * (meter/split.h). Jobs are charged by the first meter; the others stand apart,
 * for comparison, and what is not idle of theirs is called the system's.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "agent/meter/split.h"
#include "agent/node.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

struct share {
	char key[JOB_ID_MAX + 16]; /* "17.1" */
	uint64_t cpu_us;
};

/* The protocol's limit for an interval; who is not among them is charged in the next. */
#define SHARES_MAX 250

/* The wall clock may be slewed by so much without being followed. */
#define WALL_STEP_MS 2000

/* A shorter suspend isn't one. */
#define SUSPEND_MIN_MS 100

struct sampler {
	struct share *shares;
	uint64_t *cpu, *uj;
	size_t n, room;
	uint64_t self_us, machine_us; /* CPU time at the last reading */
	uint64_t slept_ms;            /* the machine, in all since it started */
	size_t turn;                  /* the entry to begin with, so that all have their turn */
	int64_t from_ms[METERS_MAX];
	uint64_t from_ns[METERS_MAX]; /* the same moment of the monotonic clock; 0: none yet */
};

static uint64_t self_cpu_us(void)
{
	struct rusage ru;

	if (getrusage(RUSAGE_SELF, &ru))
		return 0;
	return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000u +
	       (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
}

/* Busy time of all CPUs of this machine from /proc/stat, in us; 0 if it can't be read. */
static uint64_t machine_cpu_us(void)
{
	_cleanup_buf_ struct buf b = {0};
	unsigned long long v[8] = {0};
	long hz = sysconf(_SC_CLK_TCK);

	buf_init(&b, 1u << 20);
	if (hz <= 0 || file_read("/proc/stat", &b, NULL) ||
	    sscanf(buf_cstr(&b), "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2],
		   &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
		return 0;
	/* user, nice, system, irq, softirq, steal; not idle and iowait */
	return (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) * (1000000u / (unsigned long long)hz);
}

/* One share for each job attempt; several entries of one attempt are one job. Under the lock. */
static int collect(struct node *n, struct sampler *s)
{
	s->n = 0;
	if (n->nentries > s->room) {
		size_t room = n->nentries + 16;
		struct share *sh = realloc(s->shares, room * sizeof(*sh));
		uint64_t *cpu, *uj;

		if (sh)
			s->shares = sh;
		cpu = realloc(s->cpu, room * sizeof(*cpu));
		if (cpu)
			s->cpu = cpu;
		uj = realloc(s->uj, room * sizeof(*uj));
		if (uj)
			s->uj = uj;
		if (!sh || !cpu || !uj)
			return -ENOMEM;
		s->room = room;
	}
	for (size_t at = 0; at < n->nentries && s->n < SHARES_MAX; at++) {
		struct entry *en = n->entries[(s->turn + at) % n->nentries];
		struct share one = {"", 0};
		size_t k = 0;

		if (!en || en->cpu_local_us == en->cpu_billed_us)
			continue;
		one.cpu_us = en->cpu_local_us - en->cpu_billed_us;
		en->cpu_billed_us = en->cpu_local_us;
		snprintf(one.key, sizeof(one.key), "%s.%" PRIu32, en->job.key.id,
			 en->job.key.attempt);
		while (k < s->n && strcmp(s->shares[k].key, one.key) != 0)
			k++;
		if (k < s->n)
			s->shares[k].cpu_us += one.cpu_us;
		else
			s->shares[s->n++] = one;
	}
	s->turn += s->n == SHARES_MAX ? SHARES_MAX : 0;
	return 0;
}

/*
 * The wall clock's time of a reading. Intervals follow one another without overlap
 * and are as long as the monotonic clock says, also where the wall clock is set
 * back; set forward by much, or after a suspend, it is followed again.
 */
int64_t sample_wall_ms(int64_t from_ms, uint64_t from_ns, uint64_t now_ns, int64_t wall_ms)
{
	int64_t on = from_ms + (int64_t)((now_ns - from_ns) / NS_PER_MS);

	if (!from_ns)
		return wall_ms;
	return wall_ms > on + WALL_STEP_MS ? wall_ms : on;
}

/* What the i-th meter read; its jobs are those it is charged with. */
static json_t *interval(const struct node *n, const struct sampler *s, size_t i, int64_t to_ms,
			const struct meter_delta *d, uint64_t idle_uj, uint64_t system_uj)
{
	const struct meter *m = n->meters[i];
	json_t *jobs = json_object();

	for (size_t k = 0; i == 0 && k < s->n; k++)
		json_object_set_new(jobs, s->shares[k].key, json_integer((json_int_t)s->uj[k]));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:I}",
			 "instance", n->instance, "meter", m->name, "source", m->source, "scope",
			 m->scope, "kind", m->kind, "counted", i == 0, "from_ms",
			 (json_int_t)s->from_ms[i], "to_ms", (json_int_t)to_ms, "energy_uj",
			 (json_int_t)d->energy_uj, "idle_uj", (json_int_t)idle_uj, "gap_ms",
			 (json_int_t)d->gap_ms, "jobs", jobs, "system_uj", (json_int_t)system_uj);
}

/* CPU time since the last reading of everything that is not a job. */
static uint64_t system_cpu(const struct node *n, struct sampler *s, uint64_t jobs_us)
{
	uint64_t self = self_cpu_us(), machine, own, all;

	own = self - s->self_us;
	s->self_us = self;
	if (!n->meters[0]->ops->whole_machine)
		return own;
	machine = machine_cpu_us();
	all = s->machine_us && machine > s->machine_us ? machine - s->machine_us : 0;
	s->machine_us = machine;
	return all > jobs_us + own ? all - jobs_us : own;
}

/* How long the machine has been suspended since it started. */
static uint64_t slept_ms(void)
{
	struct timespec boot, mono;

	if (clock_gettime(CLOCK_MONOTONIC, &mono) || clock_gettime(CLOCK_BOOTTIME, &boot))
		return 0;
	return (uint64_t)((boot.tv_sec - mono.tv_sec) * 1000 +
			  (boot.tv_nsec - mono.tv_nsec) / 1000000 + 1000) -
	       1000;
}

/* Reads the i-th meter and keeps what it says. */
static void read_meter(struct node *n, struct sampler *s, size_t i, uint64_t jobs_us,
		       uint64_t sys_us, uint64_t suspended_ms)
{
	struct meter_input in = {.busy_cpu_us = jobs_us + sys_us, .suspended_ms = suspended_ms};
	struct meter_delta d;
	struct err e = ERR_INIT;
	uint64_t idle, sys_uj = 0;
	int64_t to_ms;
	json_t *j = NULL;
	int rc;

	in.now_ns = clock_monotonic_ns();
	to_ms = sample_wall_ms(s->from_ms[i], s->from_ns[i], in.now_ns,
			       (int64_t)(clock_realtime_ns() / NS_PER_MS));
	rc = meter_read(n->meters[i], &in, &d, &e);
	if (rc == 1) {
		idle = d.idle_uj;
		energy_split(d.energy_uj, &idle, s->cpu, i ? 0 : s->n, sys_us, s->uj, &sys_uj);
		j = interval(n, s, i, to_ms, &d, idle, sys_uj);
	}
	pthread_mutex_lock(&n->lock);
	if (j && energy_ring_add(n->ring, j, &e))
		log_err(LOG_LEVEL_WARN, "energy.not-on-disk", &e);
	if (i == 0)
		n->cpu_percent = to_ms > s->from_ms[0]
					 ? (double)jobs_us / 10.0 / (double)(to_ms - s->from_ms[0])
					 : 0;
	pthread_mutex_unlock(&n->lock);
	/* The part of a millisecond that is left over counts in the next interval. */
	s->from_ns[i] = s->from_ns[i] && to_ms > s->from_ms[i] &&
					(in.now_ns - s->from_ns[i]) / NS_PER_MS ==
						(uint64_t)(to_ms - s->from_ms[i])
				? s->from_ns[i] + (uint64_t)(to_ms - s->from_ms[i]) * NS_PER_MS
				: in.now_ns;
	s->from_ms[i] = to_ms;
}

static void sample_once(struct node *n, struct sampler *s)
{
	uint64_t jobs_us = 0, sys_us, slept = slept_ms(), suspended;
	int rc;

	/* The two clocks are not read at one moment: a little difference is none. */
	suspended = slept > s->slept_ms + SUSPEND_MIN_MS ? slept - s->slept_ms : 0;
	pthread_mutex_lock(&n->lock);
	rc = collect(n, s);
	pthread_mutex_unlock(&n->lock);
	if (rc)
		return;
	for (size_t i = 0; i < s->n; i++)
		jobs_us += s->cpu[i] = s->shares[i].cpu_us;
	sys_us = system_cpu(n, s, jobs_us);
	for (size_t i = 0; i < n->nmeters; i++)
		read_meter(n, s, i, jobs_us, sys_us, suspended);
	if (suspended)
		s->slept_ms = slept;
	node_wake(n);
}

void *sample_thread(void *arg)
{
	struct node *n = arg;
	struct sampler s = {0};

	s.self_us = self_cpu_us();
	s.slept_ms = slept_ms();
	while (!atomic_load(&n->stop)) {
		sample_once(n, &s);
		node_pause(n, n->opt.sample_ms);
	}
	sample_once(n, &s); /* what there is up to the end, kept on disk for the next start */
	free(s.shares);
	free(s.cpu);
	free(s.uj);
	return NULL;
}
