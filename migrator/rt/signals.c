/*
 * Signal dispositions. Every handler of the program is entered through one of ours, which knows the
 * context's form on this ISA, and from which the router learns whether an interrupted call was
 * interrupted for the program or for us. The request signal is the supervisor's: a supervised
 * program sees it as never sent.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

struct action {
	uint64_t handler, flags, restorer, mask;
};

enum {
	LAST = DROVER_IMAGE_SIGNALS - 1,
	/* The C library's own, from TIMER to SYNCCALL: no program sees them. */
	TIMER = 32,
	CANCEL = 33,
	SYNCCALL = 34,
};

static struct drover_image_signal actions[DROVER_IMAGE_SIGNALS];
static unsigned char guard_stack[16384] __attribute__((__aligned__(16)));

static uint64_t bit(int signal)
{
	return 1ull << (signal - 1);
}

uint64_t signals_kernel_mask(uint64_t mask)
{
	return rt.ctl < 0 ? mask : mask & ~bit(DROVER_CONTROL_SIGNAL);
}

/* From the supervisor, or from a thread that leads a stop: what this thread waits for is broken
 * off.
 */
static void on_request(int signal, void *info, void *context)
{
	struct rt_thread *self = thread_self();
	const siginfo_t *i = info;

	(void)signal;
	if (i->si_code != SI_TKILL || (uint32_t)i->si_pid != rt.kernel_pid) {
		__atomic_store_n(&rt.request, 1, __ATOMIC_SEQ_CST);
		__drover_poll = 1;
		__atomic_fetch_or(&self->interrupt, INTERRUPT_STOP, __ATOMIC_SEQ_CST);
	}
	if (self->interrupt)
		arch_wait_break(context);
}

static void count_handler(struct rt_thread *self, bool restarts)
{
	uint32_t d = self->delivered;

	self->delivered = ((d + 1) & 0xffffu) | ((d & 0xffff0000u) + (restarts ? 0 : 0x10000u));
}

static void on_program(int signal, void *info, void *context)
{
	struct drover_image_signal a = actions[signal];

	if (signal == CANCEL) {
		__atomic_fetch_or(&thread_self()->interrupt, INTERRUPT_CANCEL, __ATOMIC_SEQ_CST);
		arch_wait_break(context);
	} else {
		count_handler(thread_self(), a.flags & SA_RESTART);
	}
	if (a.flags & SA_RESETHAND)
		actions[signal].handler = 0;
	if (a.flags & SA_SIGINFO)
		arch_signal_call((void (*)(int, void *, void *))a.handler, signal, info, context);
	else
		((void (*)(int))a.handler)(signal);
}

/* Sets what the kernel does at a signal from the program's wish. */
static long install(int signal)
{
	const struct drover_image_signal *a = &actions[signal];
	struct action k = {
		.handler = a->handler,
		.flags = a->flags | SA_RESTORER,
		.restorer = (uint64_t)arch_signal_return,
		.mask = signals_kernel_mask(a->mask),
	};

	if (a->handler > 1) {
		k.handler = (uint64_t)on_program;
		k.flags |= SA_SIGINFO;
	}
	return kernel(SYS_rt_sigaction, signal, &k, 0, 8);
}

/* A full common stack ends in its guard: say so instead of a bare fault. */
static void on_fault(int signal, void *info, void *context)
{
	uint64_t addr = (uint64_t)((siginfo_t *)info)->si_addr;
	struct action k = {.flags = SA_RESTORER, .restorer = (uint64_t)arch_signal_return};
	struct text t = {0};

	(void)context;
	if (addr >= RT_STACK_START - RT_STACK_GUARD && addr < RT_STACK_START) {
		text_str(&t, "the common stack is full (256 MiB): too deep a recursion, or locals "
			     "too large");
		rt_say(&t);
	}
	kernel(SYS_rt_sigaction, signal, &k, 0, 8);
}

static void watch_guard(void)
{
	struct action k = {
		.handler = (uint64_t)on_fault,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTORER,
		.restorer = (uint64_t)arch_signal_return,
	};
	stack_t s = {.ss_sp = guard_stack, .ss_size = sizeof guard_stack};

	kernel(SYS_sigaltstack, &s, 0);
	kernel(SYS_rt_sigaction, SIGSEGV, &k, 0, 8);
}

void signals_begin(void)
{
	struct action k = {
		.handler = (uint64_t)on_request,
		.flags = SA_RESTART | SA_SIGINFO | SA_RESTORER,
		.restorer = (uint64_t)arch_signal_return,
	};

	for (int s = 1; s <= LAST; s++) {
		struct action old = {0};

		if (s >= TIMER && s <= SYNCCALL) /* whoever started us may have ignored them */
			(void)install(s);
		else if (!kernel(SYS_rt_sigaction, s, 0, &old, 8))
			actions[s].handler = old.handler == 1;
	}
	watch_guard();
	if (rt.ctl >= 0) {
		uint64_t mine = bit(DROVER_CONTROL_SIGNAL);

		kernel(SYS_rt_sigaction, DROVER_CONTROL_SIGNAL, &k, 0, 8);
		kernel(SYS_rt_sigprocmask, SIG_UNBLOCK, &mine, 0, 8);
	}
}

long signals_action(int signal, const void *new_action, void *old_action, size_t size)
{
	struct drover_image_signal old;
	const struct action *n = new_action;
	long r = 0;

	if (signal < 1 || signal > LAST || size != 8)
		return -EINVAL;
	if (n && (signal == SIGKILL || signal == SIGSTOP))
		return -EINVAL;
	old = actions[signal];
	if (n) {
		actions[signal] = (struct drover_image_signal){
			n->handler, n->flags & ~(uint64_t)SA_RESTORER, n->mask};
		if (signal == DROVER_CONTROL_SIGNAL && rt.ctl >= 0)
			r = 0;
		else if (signal == SIGSEGV && !n->handler)
			watch_guard();
		else
			r = install(signal);
		if (r)
			actions[signal] = old;
	}
	if (!r && old_action)
		*(struct action *)old_action = (struct action){old.handler, old.flags, 0, old.mask};
	return r;
}

long signals_mask(int how, const uint64_t *set, uint64_t *old, size_t size)
{
	uint64_t m = set ? signals_kernel_mask(*set) : 0;
	/* To unblock more than one may is harmless; to block is not. */
	return kernel(SYS_rt_sigprocmask, how, set ? &m : NULL, old, size);
}

uint64_t signals_pending(void)
{
	uint64_t set = 0;

	kernel(SYS_rt_sigpending, &set, 8);
	return set & ~bit(DROVER_CONTROL_SIGNAL);
}

void signals_block_all(uint64_t *old)
{
	uint64_t all = ~0ull;

	kernel(SYS_rt_sigprocmask, SIG_SETMASK, &all, old, 8);
}

void signals_set_mask(uint64_t mask)
{
	mask = signals_kernel_mask(mask);
	kernel(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
}

void signals_save(struct drover_image_signal *out)
{
	memcpy(out, actions, sizeof actions);
}

void signals_load(const struct drover_image_signal *in)
{
	for (int s = 1; s <= LAST; s++) {
		bool changed = memcmp(&actions[s], &in[s], sizeof *in);

		actions[s] = in[s];
		if (!changed || s == SIGKILL || s == SIGSTOP ||
		    (s == DROVER_CONTROL_SIGNAL && rt.ctl >= 0))
			continue;
		if (s == SIGSEGV && !in[s].handler)
			continue;
		install(s);
	}
}
