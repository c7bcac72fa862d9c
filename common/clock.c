#include "common/clock.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts = {0};

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t clock_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int clock_poll_timeout(uint64_t deadline_ns)
{
	uint64_t now, ms;

	if (!deadline_ns)
		return -1;
	now = clock_monotonic_ns();
	if (now >= deadline_ns)
		return 0;
	ms = (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

void clock_format(uint64_t realtime_ns, char *out, size_t size)
{
	time_t s = (time_t)(realtime_ns / NS_PER_S);
	struct tm tm;
	size_t n;

	(void)gmtime_r(&s, &tm);
	n = strftime(out, size, "%FT%T", &tm);
	if (n && n < size)
		(void)snprintf(out + n, size - n, ".%03uZ",
			       (unsigned int)(realtime_ns / NS_PER_MS % 1000));
}
