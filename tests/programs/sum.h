/*
 * For the test programs: a running checksum and counts that no
 * optimiser can know. Every program prints checksums of its state as it goes, so that a value lost
 * or changed on the way between two machines shows in its output.
 */
#ifndef SUM_H
#define SUM_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Without a loop: a loop in it would put a migration point into every loop that calls it. */
static inline uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static inline uint64_t mixd(uint64_t h, double d)
{
	uint64_t v;

	memcpy(&v, &d, sizeof(v));
	return mix(h, v);
}

static inline uint64_t mixs(uint64_t h, const char *s)
{
	while (*s)
		h = mix(h, (unsigned char)*s++);
	return h;
}

#define SUM_START UINT64_C(0xcbf29ce484222325)

/* n, as far as the compiler can tell any number. */
static inline int some(int n)
{
	volatile int v = n;

	return v;
}

static inline void show(const char *what, uint64_t h)
{
	printf("%s %016llx\n", what, (unsigned long long)h);
}

#endif
