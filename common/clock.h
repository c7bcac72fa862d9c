/*
 * Clocks, in nanoseconds. Intervals are measured on the monotonic clock; only
 * what a person reads, or what is compared between machines, is real time.
 */
#ifndef DROVER_COMMON_CLOCK_H
#define DROVER_COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

uint64_t clock_monotonic_ns(void);
uint64_t clock_realtime_ns(void);

/* Milliseconds from now to a deadline on the monotonic clock, for poll(2): 0 when past, -1 for
 * deadline 0 (none). */
int clock_poll_timeout(uint64_t deadline_ns);

/* RFC 3339 in UTC with milliseconds, "2026-01-02T03:04:05.678Z"; out of at least 32 bytes. */
void clock_format(uint64_t realtime_ns, char *out, size_t size);

#endif
