/* Atomic structures of 4 and 8 bytes, flags and pointers: exchanged, compared, added to across
 * points. */
#include "sum.h"

#include <stdatomic.h>

struct pair {
	int a, b;
};
struct small {
	short x, y;
};

static _Atomic struct pair shared;
static _Atomic struct small tiny;
static atomic_flag taken = ATOMIC_FLAG_INIT;
static _Atomic(struct pair *) best;
static _Atomic unsigned long long total;
static _Atomic signed char narrow;

int main(void)
{
	static struct pair pool[8];
	uint64_t h = SUM_START;

	atomic_init(&shared, ((struct pair){1, 2}));
	for (int i = 0; i < some(8); i++) {
		struct pair was = atomic_load(&shared), next = {was.b, was.a + was.b + i}, now,
			    *top;
		struct small little;

		h = mix(h, (uint64_t)atomic_compare_exchange_strong(&shared, &was, next));
		h = mix(h, (uint64_t)atomic_flag_test_and_set(&taken));
		if (i % 3 == 0)
			atomic_flag_clear(&taken);
		now = atomic_load(&shared);
		printf("%d %d\n", i, now.b);
		atomic_store(&tiny, ((struct small){(short)i, (short)-i}));
		pool[i] = atomic_exchange(&shared, next);
		top = atomic_exchange(&best, &pool[i]);
		h = mix(h, top ? (uint64_t)(&pool[i] - top) : 9);
		h = mix(h, atomic_fetch_add(&total, (unsigned long long)pool[i].a << 33));
		h = mix(h, (uint64_t)atomic_fetch_sub(&narrow, (signed char)50));
		little = atomic_load(&tiny);
		h = mix(h, (uint64_t)(little.x - little.y));
	}
	show("atomic", mix(h, atomic_load(&total)));
	return 0;
}
