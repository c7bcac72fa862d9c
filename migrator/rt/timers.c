/*
 * What runs out, waits and is limited: interval timers, POSIX timers, pending signals, resource
 * limits. A timer goes on with the time that was left; docs/formats/image.md, section 6.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#define SECOND  1000000000ll
#define ABSTIME 1 /* TIMER_ABSTIME, TFD_TIMER_ABSTIME */

struct kernel_event {
	uint64_t value;
	int32_t signo, notify, tid;
	int32_t pad[11];
};

/* By the number the program knows; the kernel's is another one after a move. */
static struct posix_timer {
	bool used;
	int kernel_id;
	struct drover_image_timer made;
} timers[DROVER_IMAGE_TIMERS];

static uint32_t limits_set; /* resources whose limits the program has changed */

/* ---- POSIX timers ---------------------------------------------------------- */

static long create(long clock, const struct kernel_event *event, int *id)
{
	struct posix_timer *t = timers;
	struct kernel_event e = {.notify = SIGEV_SIGNAL, .signo = SIGALRM};
	long r;

	while (t < timers + DROVER_IMAGE_TIMERS && t->used)
		t++;
	if (t == timers + DROVER_IMAGE_TIMERS)
		return -EAGAIN;
	if (event)
		e = *event;
	else
		e.value = (uint64_t)(t - timers);
	r = kernel(SYS_timer_create, clock, &e, &t->kernel_id);
	if (r < 0)
		return r;
	t->used = true;
	t->made = (struct drover_image_timer){.used = 1,
					      .clock = (uint32_t)clock,
					      .signo = (uint32_t)e.signo,
					      .notify = (uint32_t)e.notify,
					      .value = e.value};
	*id = (int)(t - timers);
	return 0;
}

/* Seconds and nanoseconds of a clock as the program sees it, for the kernel. */
static const int64_t *kernel_time(long flags, int clock, const int64_t *spec, int64_t *room)
{
	int64_t ns;

	if (!spec || !(flags & ABSTIME) || (!spec[2] && !spec[3]) || !clocks_offset(clock))
		return spec;
	ns = spec[2] * SECOND + spec[3] - clocks_offset(clock);
	ns = ns > 0 ? ns : 1;
	memcpy(room, spec, 2 * sizeof *room);
	room[2] = ns / SECOND;
	room[3] = ns % SECOND;
	return room;
}

long timers_call(long n, long a, long b, long c, long d)
{
	struct posix_timer *t;
	int64_t room[4];
	long r;

	if (n == SYS_timer_create)
		return create(a, (const struct kernel_event *)b, (int *)c);
	if (a < 0 || a >= DROVER_IMAGE_TIMERS || !timers[a].used)
		return -EINVAL;
	t = &timers[a];
	switch (n) {
	case SYS_timer_settime:
		return kernel(n, t->kernel_id, b,
			      kernel_time(b, (int)t->made.clock, (const int64_t *)c, room), d);
	case SYS_timer_delete:
		r = kernel(n, t->kernel_id);
		t->used = r < 0 && t->used;
		return r;
	default: /* timer_gettime, timer_getoverrun */
		return kernel(n, t->kernel_id, b);
	}
}

long timers_timerfd(long fd, long flags, const int64_t *spec, int64_t *old, int clock)
{
	int64_t room[4];

	return kernel(SYS_timerfd_settime, fd, flags, kernel_time(flags, clock, spec, room), old);
}

bool timers_movable(struct text *why)
{
	for (uint32_t i = 0; i < DROVER_IMAGE_TIMERS; i++) {
		if (!timers[i].used || timers[i].made.notify == SIGEV_SIGNAL ||
		    timers[i].made.notify == SIGEV_NONE)
			continue;
		text_str(why, "a timer that notifies a thread exists");
		return false;
	}
	return true;
}

static void read_timers(struct drover_image_process *p)
{
	for (uint32_t i = 0; i < DROVER_IMAGE_TIMERS; i++) {
		int64_t left[4] = {0};

		if (!timers[i].used)
			continue;
		kernel(SYS_timer_gettime, timers[i].kernel_id, left);
		p->timers[i] = timers[i].made;
		p->timers[i].interval_ns = (uint64_t)(left[0] * SECOND + left[1]);
		p->timers[i].first_ns = (uint64_t)(left[2] * SECOND + left[3]);
	}
	for (int which = 0; which < 3; which++) {
		int64_t t[4] = {0}; /* interval, then what is left: seconds, microseconds */

		if (kernel(SYS_getitimer, which, t))
			continue;
		for (int k = 0; k < 4; k++)
			p->interval_timers[which][k] = t[k];
	}
	p->limits_set = limits_set;
	for (uint32_t i = 0; i < DROVER_IMAGE_LIMITS; i++)
		if (limits_set & 1u << i)
			kernel(SYS_prlimit64, 0, i, 0, p->limits[i]);
}

static bool load_timer(const struct drover_image_timer *m, struct posix_timer *t)
{
	struct kernel_event e = {
		.value = m->value, .signo = (int32_t)m->signo, .notify = (int32_t)m->notify};
	const int64_t spec[4] = {(int64_t)m->interval_ns / SECOND, (int64_t)m->interval_ns % SECOND,
				 (int64_t)m->first_ns / SECOND, (int64_t)m->first_ns % SECOND};

	t->used = true;
	t->made = *m;
	return !kernel(SYS_timer_create, m->clock, &e, &t->kernel_id) &&
	       !kernel(SYS_timer_settime, t->kernel_id, 0, spec, 0);
}

bool timers_load(const struct drover_image_process *p, struct text *why)
{
	for (uint32_t i = 0; i < DROVER_IMAGE_TIMERS; i++)
		if (p->timers[i].used && !load_timer(&p->timers[i], &timers[i])) {
			text_str(why, "a timer cannot be made again");
			return false;
		}
	for (int which = 0; which < 3; which++)
		if (p->interval_timers[which][2] || p->interval_timers[which][3])
			kernel(SYS_setitimer, which, p->interval_timers[which], 0);
	/* A limit above what this machine allows stays at what it allows. */
	limits_set = p->limits_set;
	for (uint32_t i = 0; i < DROVER_IMAGE_LIMITS; i++) {
		uint64_t now[2] = {0, 0}, want[2];

		if (!(limits_set & 1u << i))
			continue;
		kernel(SYS_prlimit64, 0, i, 0, now);
		want[0] = p->limits[i][0] < now[1] ? p->limits[i][0] : now[1];
		want[1] = p->limits[i][1] < now[1] ? p->limits[i][1] : now[1];
		kernel(SYS_prlimit64, 0, i, want, 0);
	}
	return true;
}

void timers_forked(void)
{
	memset(timers, 0, sizeof timers);
}

long timers_limit(long resource, const uint64_t *new_limit, uint64_t *old)
{
	long r = kernel(SYS_prlimit64, 0, resource, new_limit, old);

	if (!r && new_limit && resource >= 0 && resource < DROVER_IMAGE_LIMITS)
		limits_set |= 1u << resource;
	return r;
}

/* ---- pending signals ------------------------------------------------------- */

/* As the kernel lays out siginfo_t on both ISAs, for signals that a process or timer sent. */
struct info {
	int32_t signo, error, code, pad;
	int32_t pid, uid;
	uint64_t value;
	uint64_t rest[12];
};
_Static_assert(sizeof(struct info) == 128, "siginfo");

static void send_again(const struct info *info)
{
	kernel(SYS_rt_sigqueueinfo, kernel(SYS_getpid, 0), info->signo, info);
}

static bool read_pending(struct drover_image_process *p, uint64_t set, struct text *why)
{
	static struct info taken[DROVER_IMAGE_PENDING + 1];
	const int64_t now[2] = {0, 0};
	uint32_t n = 0;

	while (set && n <= DROVER_IMAGE_PENDING &&
	       kernel(SYS_rt_sigtimedwait, &set, &taken[n], now, 8) > 0)
		n++;
	/* They stay pending here, in case the program goes on here. */
	for (uint32_t i = 0; i < n; i++) {
		send_again(&taken[i]);
		if (i == DROVER_IMAGE_PENDING)
			break;
		p->pending[i] = (struct drover_image_pending){
			.signo = (uint32_t)taken[i].signo,
			.code = taken[i].code,
			.pid = (uint32_t)taken[i].pid,
			.uid = (uint32_t)taken[i].uid,
			.value = taken[i].value,
		};
	}
	p->npending = n;
	if (n > DROVER_IMAGE_PENDING)
		text_str(why, "more than 32 signals are pending");
	return n <= DROVER_IMAGE_PENDING;
}

/* A timer that runs out in between is either still to run out or its signal is pending, not both.
 */
bool timers_capture(struct drover_image_process *p, struct text *why)
{
	uint64_t set;

	do {
		set = signals_pending();
		read_timers(p);
	} while (signals_pending() != set);
	return read_pending(p, set, why);
}

static bool of_timer(const struct info *i)
{
	return i->code == SI_TIMER ||
	       (i->code == SI_KERNEL &&
		(i->signo == SIGALRM || i->signo == SIGVTALRM || i->signo == SIGPROF));
}

/* Whether the image has it: of one number, those in the image came first. */
static bool in_image(struct drover_image_process *p, int32_t signo)
{
	for (uint32_t i = 0; i < p->npending; i++)
		if (p->pending[i].signo == (uint32_t)signo) {
			p->pending[i].signo = 0;
			return true;
		}
	return false;
}

bool timers_late(struct drover_image_process *p, struct drover_image_pending *out)
{
	const int64_t now[2] = {0, 0};
	uint64_t set = signals_pending();
	struct info i;

	while (set && kernel(SYS_rt_sigtimedwait, &set, &i, now, 8) > 0) {
		if (in_image(p, i.signo) || of_timer(&i))
			continue;
		*out = (struct drover_image_pending){
			.signo = (uint32_t)i.signo,
			.code = i.code,
			.pid = (uint32_t)i.pid,
			.uid = (uint32_t)i.uid,
			.value = i.value,
		};
		return true;
	}
	return false;
}

void timers_send(const struct drover_image_process *p)
{
	for (uint32_t i = 0; i < p->npending; i++) {
		struct info info = {
			.signo = (int32_t)p->pending[i].signo,
			.code = p->pending[i].code,
			.pid = (int32_t)p->pending[i].pid,
			.uid = (int32_t)p->pending[i].uid,
			.value = p->pending[i].value,
		};

		send_again(&info);
	}
}

/* ---- CPU time as older calls tell it --------------------------------------- */

long timers_rusage(long who, int64_t *usage)
{
	long r = kernel(SYS_getrusage, who, usage);
	int64_t us;

	if (r || who != RUSAGE_SELF)
		return r;
	us = usage[0] * 1000000 + usage[1] + clocks_offset(CLOCK_PROCESS_CPUTIME_ID) / 1000;
	us = us > 0 ? us : 0;
	usage[0] = us / 1000000;
	usage[1] = us % 1000000;
	return 0;
}

/* What it returns counts from some point in the past: from the clock that carries on exactly, for
 * ticks and an offset rounded each on its own could go back by one. */
long timers_times(int64_t *out)
{
	const int64_t tick = SECOND / 100; /* sysconf(_SC_CLK_TCK) is 100 on both */
	long r = kernel(SYS_times, out);
	int64_t ts[2] = {0, 0};

	if (r < 0 && r > -4096)
		return r;
	if (out)
		out[0] += clocks_offset(CLOCK_PROCESS_CPUTIME_ID) / tick;
	r = clocks_get(CLOCK_BOOTTIME, ts);
	return r ? r : (long)((ts[0] * SECOND + ts[1]) / tick);
}
