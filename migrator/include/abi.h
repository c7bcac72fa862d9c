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
	uint32_t size;
	uint32_t kind;
	uint64_t callee;
	uint32_t ret;
	uint32_t pad;
};

struct drover_fn {
	uint64_t id;
	void *fn;
	void *resume;
	const struct drover_site *sites;
	uint32_t nsites;
	uint32_t ret;
};

extern volatile int __drover_poll;
extern char *__drover_csp;
void __drover_poll_slow(void);
void *__drover_frame(uint64_t fn, uint32_t site, uint32_t size);
void *__drover_inner(void *frame);
void *__drover_resume_fn(void *frame);

#endif
