/* C11 atomics of every width in one thread: loads, exchanges, compare and exchange, flags, fences.
 */
#include <stdatomic.h>

#include "sum.h"

static _Atomic int counter;
static _Atomic long long total = 5;
static _Atomic unsigned char small;
static atomic_flag flag = ATOMIC_FLAG_INIT;
static _Atomic(const char *) name = "none";

static uint64_t step(uint64_t h, int i)
{
	long long expected = atomic_load(&total);

	while (!atomic_compare_exchange_weak(&total, &expected, expected * 3 + i))
		;
	h = mix(h, (uint64_t)atomic_fetch_add(&counter, i));
	h = mix(h, atomic_fetch_xor_explicit(&small, (unsigned char)i, memory_order_relaxed));
	if (!atomic_flag_test_and_set(&flag))
		h = mixs(h, atomic_exchange(&name, i % 2 ? "odd" : "even"));
	else
		atomic_flag_clear(&flag);
	atomic_thread_fence(memory_order_seq_cst);
	return mix(h, (uint64_t)total);
}

int main(void)
{
	uint64_t h = SUM_START;

	for (int i = 0; i < some(15); i++)
		h = step(h, i);
	show("atomics", h);
	printf("%d %lld %u %s\n", counter, total, small, name);
	return 0;
}
