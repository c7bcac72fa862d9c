#include "migrator/rt/threads.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "migrator/rt/rt.h"

#define FUTEX_WAKE 1
/* Below what a program asks for its stack: the C library's and the runtime's own use of it. */
#define NATIVE_EXTRA   (64u << 10)
#define NATIVE_LEAST   (256u << 10)
#define KERNEL_TID_MAX 0x3fffffffu /* what a futex word has room for */

struct rt_thread threads[RT_THREADS] = {{.place = THREAD_RUNS}};
uint32_t threads_end = 1;

/* The word beside the common stack pointer in struct pthread (binaries/musl/build). */
static struct rt_thread **own_word(uintptr_t tp)
{
	return (struct rt_thread **)(tp + DROVER_CSP_OFFSET - sizeof(void *));
}

struct rt_thread *thread_self(void)
{
	uintptr_t tp = arch_thread_pointer();
	struct rt_thread *t = tp ? *own_word(tp) : NULL;

	return t ? t : &threads[0];
}

void threads_begin(uint32_t tid)
{
	struct rt_thread *t = &threads[0];

	t->tp = arch_thread_pointer();
	t->tid = tid;
	t->ktid = (int32_t)kernel(SYS_gettid, 0);
	t->place = THREAD_RUNS;
	*own_word(t->tp) = t;
	rt.last_tid = tid;
}

void threads_forked(uint32_t tid)
{
	struct rt_thread *self = thread_self();

	for (uint32_t i = 0; i < threads_end; i++)
		if (&threads[i] != self)
			threads[i].place = THREAD_NONE;
	self->tid = tid;
	self->ktid = (int32_t)kernel(SYS_gettid, 0);
	rt.last_tid = tid;
}

int32_t threads_kernel_id(uint32_t tid)
{
	for (uint32_t i = 0; i < threads_end; i++) {
		const struct rt_thread *t = &threads[i];

		if (t->place != THREAD_NONE && t->tid == tid)
			return t->ktid;
	}
	return 0;
}

struct rt_thread *thread_entry(void)
{
	for (uint32_t i = 1; i < RT_THREADS; i++) {
		if (threads[i].place != THREAD_NONE || threads[i].ktid)
			continue;
		if (i >= threads_end)
			threads_end = i + 1;
		return &threads[i];
	}
	return NULL;
}

/* ---- native stacks -------------------------------------------------------- */

/* Those of threads that have gone are kept with their entry. */
static int take_stack(struct rt_thread *t, uint64_t size)
{
	char *p;

	if (t->stack && t->stack_size >= size)
		return 0;
	if (t->stack)
		kernel(SYS_munmap, t->stack, t->stack_size);
	t->stack = NULL;
	p = memory_own(size);
	if (!p)
		return -ENOMEM;
	kernel(SYS_mprotect, p, RT_PAGE, PROT_NONE);
	t->stack = p;
	t->stack_size = size;
	return 0;
}

/* ---- beginning ------------------------------------------------------------ */

/* The outermost frame of a thread, where unwinding ends. */
__attribute__((__noinline__)) static void thread_run(void *p)
{
	struct rt_thread *self = p;

	if (setjmp(self->base)) {
		stop_saved(self);
		rebuild_run(self);
	} else if (self->frames_count) {
		thread_load_state(self);
		rebuild_run(self);
	} else {
		self->entry(self->argument);
	}
	thread_end(NULL, 0);
}

const void *const thread_base = (const void *)thread_run;

static int start(struct rt_thread *t)
{
	const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				    CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
				    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	long r;

	*own_word(t->tp) = t;
	r = arch_clone(flags, (char *)t->stack + t->stack_size, &t->ktid, &t->ktid, t->tp,
		       thread_run, t);
	return r < 0 ? (int)r : 0;
}

int thread_make(struct rt_thread *t)
{
	uint64_t size = __drover_libc_stack_size(t->tp) + NATIVE_EXTRA;
	int r;

	size = size < NATIVE_LEAST ? NATIVE_LEAST : size;
	r = take_stack(t, (size + RT_PAGE - 1) & ~(uint64_t)(RT_PAGE - 1));
	return r ? r : start(t);
}

int __drover_thread_create(int (*entry)(void *), void *stack, int flags, void *argument, int *tid,
			   void *tp, volatile int *clear)
{
	struct rt_thread *t;
	int r = -EAGAIN;

	(void)flags;
	stop_lock();
	t = thread_entry();
	if (t && rt.last_tid < KERNEL_TID_MAX) {
		*t = (struct rt_thread){.stack = t->stack,
					.stack_size = t->stack_size,
					.frames = t->frames,
					.frames_room = t->frames_room,
					.offsets = t->offsets,
					.offsets_room = t->offsets_room,
					.tp = (uintptr_t)tp,
					.entry = entry,
					.argument = argument,
					.clear = clear,
					.tid = ++rt.last_tid};
		*tid = (int)t->tid;
		*thread_csp(t) = (char *)((uintptr_t)stack & ~(uintptr_t)15);
		/* It may end before clone returns here. */
		t->place = THREAD_RUNS;
		stop_thread_came();
		r = thread_make(t);
		if (r) {
			t->place = THREAD_NONE;
			stop_thread_left();
		}
	}
	stop_unlock();
	return r ? r : *tid;
}

/* ---- ending --------------------------------------------------------------- */

static void clear_word(volatile int *word)
{
	if (!word)
		return;
	__atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
	kernel(SYS_futex, word, FUTEX_WAKE, 1);
}

/* The kernel keeps a process as long as its first thread: that one stays, and does nothing. */
_Noreturn static void main_ended(struct rt_thread *self)
{
	self->place = THREAD_ENDED;
	self->frames_count = 0;
	clear_word(self->clear);
	stop_thread_left();
	stop_unlock();
	for (;;)
		kernel(SYS_ppoll, 0, 0, 0, 0, 0);
}

_Noreturn void thread_end(void *base, uint64_t size)
{
	struct rt_thread *self = thread_self();
	uint64_t unused;

	signals_block_all(&unused);
	stop_lock();
	if (self == &threads[0])
		main_ended(self);
	/* Once the word is clear nothing of the program's memory may be touched by this thread. */
	if (size)
		memory_munmap((uint64_t)base, size);
	clear_word(self->clear);
	self->place = THREAD_NONE;
	stop_thread_left();
	stop_unlock();
	for (;;)
		kernel(SYS_exit, 0);
}

_Noreturn void __drover_thread_end(void *base, size_t size);

_Noreturn void __drover_thread_end(void *base, size_t size)
{
	thread_end(base, size);
}
