/* The contract between compiled code and the runtime; see docs/formats/migration-abi.md. */
#ifndef DROVER_ABI_H
#define DROVER_ABI_H

#include <stdint.h>

#define DROVER_ABI_VERSION 1

enum drover_site_kind { DROVER_SITE_POLL = 0, DROVER_SITE_CALL = 1, DROVER_SITE_ICALL = 2 };

enum drover_ret {
	DROVER_RET_VOID,
	DROVER_RET_INT, /* i1 to i32 */
	DROVER_RET_I64,
	DROVER_RET_PTR, /* reserved: pointers count as i64 */
	DROVER_RET_F32,
	DROVER_RET_F64,
	DROVER_RET_F128,
	DROVER_RET_I128, /* reserved: 128 bits count as other */
	DROVER_RET_OTHER
};

struct drover_frame {
	uint64_t fn;   /* identity of the function */
	uint32_t site; /* number of the site within it */
	uint32_t size; /* bytes of payload */
	unsigned char payload[];
};

struct drover_site {
	uint64_t fn;     /* identity of the function it is in */
	uint64_t callee; /* identity of what a direct call calls, else 0 */
	uint32_t number; /* within its function */
	uint32_t size;   /* bytes of payload */
	uint32_t kind;   /* enum drover_site_kind */
	uint32_t ret;    /* enum drover_ret: what it expects */
};

/*
 * Where a resume clone keeps what sites save: a block of memory of its frame. `words` are first,
 * for each site and once more at the end, which of the rows is the site's first one; then the rows.
 */
struct drover_homes {
	uint32_t size; /* bytes of the block */
	uint32_t nsites;
	uint32_t words[];
};

struct drover_home {
	uint32_t home;   /* in the block */
	uint32_t offset; /* in the site's payload */
	uint32_t size;
};

/* The next inner frame to rebuild, and the clone that does it. */
struct drover_inner {
	void *resume;
	void *frame;
};

struct drover_fn {
	uint64_t id;
	void *fn;
	void *resume;
	const struct drover_site *sites;
	uint32_t nsites;
	uint32_t ret;
};

/* The common stack pointer of a thread: a word this many bytes from its thread pointer, on both
 * ISAs. */
#define DROVER_CSP_OFFSET 56

extern volatile int __drover_poll;
void __drover_poll_slow(void);
/* In a landing pad: room for the site's payload; then, when it is stored, on with the caller's
 * frame (it does not return, but is a jump to what does not). */
void *__drover_frame(const struct drover_site *site);
void __drover_unwind(void);

/* In a resume clone: fills the block; the number of the site to go on from. */
uint32_t __drover_load(const void *frame, void *block, const struct drover_homes *homes);
struct drover_inner __drover_inner(void *frame);
/* In its landing pads: both of the above, from the block. */
void __drover_keep(const struct drover_site *site, const void *block,
		   const struct drover_homes *homes);

/* Rows of a site. */
static inline const struct drover_home *drover_homes_of(const struct drover_homes *h, uint32_t site,
							uint32_t *n)
{
	*n = h->words[site + 1] - h->words[site];
	return (const struct drover_home *)(h->words + h->nsites + 1) + h->words[site];
}

/*
 * A system call that may wait. __drover_block is compiled as the program is, with a migration point
 * in its loop; the runtime's __drover_try makes the call, or answers DROVER_AGAIN when a stop is
 * asked for before the call had an effect. What has to last from one try to the next is in
 * `wait`, zero at first, which moves with the program.
 */
#define DROVER_AGAIN (-512L) /* no kernel returns it to a process */

enum drover_wait_begun { DROVER_WAIT_DEADLINE = 1, DROVER_WAIT_DELIVERED = 2 }; /* what is set */

struct drover_wait {
	int64_t deadline_ns; /* of a relative timeout, on the program's CLOCK_MONOTONIC */
	uint32_t begun;      /* enum drover_wait_begun */
	uint32_t delivered;  /* the thread's count of handlers when the call was first tried */
};

long __drover_try(struct drover_wait *wait, long n, long a, long b, long c, long d, long e, long f);
long __drover_block(long n, long a, long b, long c, long d, long e, long f);

#endif
