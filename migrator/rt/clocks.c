/*
 * Time as the program sees it. Clocks that count from a machine's start, and CPU time, carry on
 * from where they stood when the program was captured; the calendar never runs backward.
 * docs/formats/image.md, section 5.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#define SECOND 1000000000

/* The offset that applies to a clock, or NULL. */
static int64_t *offset_of(int id)
{
	switch (id) {
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
		return &rt.clock_offset[RT_MONOTONIC];
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return &rt.clock_offset[RT_BOOTTIME];
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
		return &rt.clock_offset[RT_REALTIME];
	case CLOCK_THREAD_CPUTIME_ID:
		return &thread_self()->cpu_offset;
	case CLOCK_PROCESS_CPUTIME_ID:
		return &rt.clock_offset[RT_CPU];
	default:
		return NULL;
	}
}

int64_t clocks_offset(int id)
{
	const int64_t *o = offset_of(id);

	return o ? *o : 0;
}

static void from_ns(int64_t *ts, int64_t ns)
{
	ts[0] = ns / SECOND;
	ts[1] = ns % SECOND;
	if (ts[1] < 0) {
		ts[1] += SECOND;
		ts[0]--;
	}
}

long clocks_get(int id, int64_t *ts)
{
	long r = kernel(SYS_clock_gettime, id, ts);
	int64_t offset = clocks_offset(id);

	if (!r && offset)
		from_ns(ts, ts[0] * SECOND + ts[1] + offset);
	return r;
}

/* Sleeps on although a migration request interrupts it; a handler of the program ends it as ever.
 */
long clocks_nanosleep(int id, int flags, const int64_t *request, int64_t *remaining)
{
	int64_t want[2], left[2] = {0, 0};

	if (!request)
		return -EFAULT;
	want[0] = request[0];
	want[1] = request[1];
	if (flags & TIMER_ABSTIME)
		from_ns(want, want[0] * SECOND + want[1] - clocks_offset(id));
	for (;;) {
		uint32_t before = thread_self()->delivered;
		long r = kernel(SYS_clock_nanosleep, id, flags, want, left);

		if (r != -EINTR || thread_self()->delivered != before || rt.ctl < 0) {
			if (r == -EINTR && remaining && !(flags & TIMER_ABSTIME)) {
				remaining[0] = left[0];
				remaining[1] = left[1];
			}
			return r;
		}
		if (!(flags & TIMER_ABSTIME)) {
			want[0] = left[0];
			want[1] = left[1];
		}
	}
}

static int64_t now(int id)
{
	int64_t ts[2] = {0, 0};

	clocks_get(id, ts);
	return ts[0] * SECOND + ts[1];
}

int64_t clocks_thread_cpu(void)
{
	return now(CLOCK_THREAD_CPUTIME_ID);
}

void clocks_save(struct drover_image_process *p)
{
	p->monotonic_ns = now(CLOCK_MONOTONIC);
	p->boottime_ns = now(CLOCK_BOOTTIME);
	p->realtime_ns = now(CLOCK_REALTIME);
	p->process_cpu_ns = now(CLOCK_PROCESS_CPUTIME_ID);
}

void clocks_load(const struct drover_image_process *p)
{
	for (int i = 0; i < 4; i++)
		rt.clock_offset[i] = 0;
	rt.clock_offset[RT_MONOTONIC] = p->monotonic_ns - now(CLOCK_MONOTONIC);
	rt.clock_offset[RT_BOOTTIME] = p->boottime_ns - now(CLOCK_BOOTTIME);
	rt.clock_offset[RT_CPU] = p->process_cpu_ns - now(CLOCK_PROCESS_CPUTIME_ID);
	if (p->realtime_ns > now(CLOCK_REALTIME))
		rt.clock_offset[RT_REALTIME] = p->realtime_ns - now(CLOCK_REALTIME);
}
