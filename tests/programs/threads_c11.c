/* The threads of C11: thrd, mtx, cnd, tss, call_once, atomics. */
#include <stdatomic.h>
#include <stdio.h>
#include <threads.h>

#define THREADS 3
#define ROUNDS  300

static mtx_t plain, recursive;
static cnd_t turn;
static tss_t slot;
static once_flag flag = ONCE_FLAG_INIT;
static int whose;
static unsigned long log_sum, initialised, ended;
static atomic_ulong count;
static _Atomic(unsigned long) best;

static unsigned long work(unsigned long x)
{
	for (int i = 0; i < 300; i++)
		x = x * 6364136223846793005ul + 1442695040888963407ul;
	return x;
}

static void initialise(void)
{
	initialised++;
}

static void end(void *p)
{
	mtx_lock(&plain);
	ended += *(int *)p;
	mtx_unlock(&plain);
}

static int run(void *arg)
{
	static int numbers[THREADS];
	int me = (int)(long)arg;

	call_once(&flag, initialise);
	numbers[me] = me + 1;
	tss_set(slot, &numbers[me]);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned long v = work((unsigned)(me * ROUNDS + i)), old = atomic_load(&best);

		atomic_fetch_add(&count, v & 15);
		while (v > old && !atomic_compare_exchange_weak(&best, &old, v))
			;
		mtx_lock(&plain);
		while (whose != me)
			cnd_wait(&turn, &plain);
		log_sum = log_sum * 31 + (unsigned)(*(int *)tss_get(slot));
		whose = (whose + 1) % THREADS;
		cnd_broadcast(&turn);
		mtx_unlock(&plain);
		mtx_lock(&recursive);
		mtx_lock(&recursive);
		mtx_unlock(&recursive);
		mtx_unlock(&recursive);
	}
	if (me == 1)
		thrd_exit(41);
	return me * 10 - 5;
}

int main(void)
{
	thrd_t t[THREADS];
	int result;

	mtx_init(&plain, mtx_plain);
	mtx_init(&recursive, mtx_plain | mtx_recursive);
	cnd_init(&turn);
	tss_create(&slot, end);
	for (long i = 0; i < THREADS; i++)
		if (thrd_create(&t[i], run, (void *)i) != thrd_success)
			return 1;
	for (int i = 0; i < THREADS; i++) {
		thrd_join(t[i], &result);
		printf("%d\n", result);
	}
	printf("%016lx %lu %016lx %lu %lu\n", log_sum, (unsigned long)count, (unsigned long)best,
	       initialised, ended);
	return 0;
}
