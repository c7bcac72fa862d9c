/*
 * The thread that reads the meter and charges the energy to jobs.
 *
 * On a thread of its own, so that a slow scheduler or disk does not make gaps.
 * Each reading closes one interval: node = idle + system + jobs, exactly
 * (meter/split.h).
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/meter/split.h"
#include "agent/node.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

struct share {
	char key[JOB_ID_MAX + 16]; /* "17.1" */
	uint64_t cpu_us;
};

struct sampler {
	struct share *shares;
	uint64_t *cpu, *uj;
	size_t n, room;
	uint64_t self_us, machine_us; /* CPU time at the last reading */
	int64_t from_ms;
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
	for (size_t i = 0; i < n->nentries; i++) {
		struct entry *en = n->entries[i];
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
	return 0;
}

static json_t *interval(const struct node *n, const struct sampler *s, int64_t to_ms,
			const struct meter_delta *d, uint64_t idle_uj, uint64_t system_uj)
{
	json_t *jobs = json_object();

	for (size_t i = 0; i < s->n; i++)
		json_object_set_new(jobs, s->shares[i].key, json_integer((json_int_t)s->uj[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:I}", "instance",
			 n->instance, "meter", n->meter->name, "source", n->meter->ops->source,
			 "scope", n->meter->scope, "kind", n->meter->ops->kind, "from_ms",
			 (json_int_t)s->from_ms, "to_ms", (json_int_t)to_ms, "energy_uj",
			 (json_int_t)d->energy_uj, "idle_uj", (json_int_t)idle_uj, "gap_ms",
			 (json_int_t)d->gap_ms, "jobs", jobs, "system_uj", (json_int_t)system_uj);
}

/* CPU time since the last reading of everything that is not a job. */
static uint64_t system_cpu(const struct node *n, struct sampler *s, uint64_t jobs_us)
{
	uint64_t self = self_cpu_us(), machine, own, all;

	own = self - s->self_us;
	s->self_us = self;
	if (!n->meter->ops->whole_machine)
		return own;
	machine = machine_cpu_us();
	all = s->machine_us && machine > s->machine_us ? machine - s->machine_us : 0;
	s->machine_us = machine;
	return all > jobs_us + own ? all - jobs_us : own;
}

static void sample_once(struct node *n, struct sampler *s)
{
	struct meter_input in = {0};
	struct meter_delta d;
	struct err e = ERR_INIT;
	uint64_t jobs_us = 0, sys_us, idle, sys_uj = 0;
	int64_t to_ms;
	json_t *j = NULL;
	int rc;

	pthread_mutex_lock(&n->lock);
	rc = collect(n, s);
	pthread_mutex_unlock(&n->lock);
	if (rc)
		return;
	for (size_t i = 0; i < s->n; i++)
		jobs_us += s->cpu[i] = s->shares[i].cpu_us;
	sys_us = system_cpu(n, s, jobs_us);
	in.now_ns = clock_monotonic_ns();
	in.busy_cpu_us = jobs_us + sys_us;
	to_ms = (int64_t)(clock_realtime_ns() / NS_PER_MS);
	rc = meter_read(n->meter, &in, &d, &e);
	if (rc == 1 && to_ms > s->from_ms) {
		idle = d.idle_uj;
		energy_split(d.energy_uj, &idle, s->cpu, s->n, sys_us, s->uj, &sys_uj);
		j = interval(n, s, to_ms, &d, idle, sys_uj);
	}
	pthread_mutex_lock(&n->lock);
	if (j && energy_ring_add(n->ring, j, &e))
		log_err(LOG_LEVEL_WARN, "energy.not-on-disk", &e);
	n->cpu_percent =
		to_ms > s->from_ms ? (double)jobs_us / 10.0 / (double)(to_ms - s->from_ms) : 0;
	pthread_mutex_unlock(&n->lock);
	s->from_ms = to_ms;
	node_wake(n);
}

void *sample_thread(void *arg)
{
	struct node *n = arg;
	struct sampler s = {0};

	s.self_us = self_cpu_us();
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
