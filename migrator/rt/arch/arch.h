/*
 * What differs between the ISAs at run time. System calls have canonical numbers, constants and
 * structures: those of AArch64, which the C library is built with on both.
 */
#ifndef DROVER_RT_ARCH_H
#define DROVER_RT_ARCH_H

#include <stdint.h>

/* enum drover_isa of this half. */
extern const uint32_t arch_isa;

/* One system call of this kernel, its own number, nothing translated; the kernel's answer. */
long arch_raw(long n, long a, long b, long c, long d, long e, long f);

/* The kernel's number for a canonical one; -1: this kernel has none. */
long arch_number(long n);

/* The events that a call of epoll_pwait with this result has stored, in the canonical form; the
 * result. */
long arch_epoll_events(long result, void *events);

/* A canonical system call: numbers, flags and structures translated. Touches no memory but the
 * arguments. */
long arch_kernel(long n, long a, long b, long c, long d, long e, long f);

/* Calls a program's SA_SIGINFO handler with the canonical context for the kernel's. */
void arch_signal_call(void (*handler)(int, void *, void *), int signal, void *info, void *context);

/* The thread pointer, at which struct pthread begins. */
uintptr_t arch_thread_pointer(void);

/* clone(2) of a thread: in it fn(argument) is called on the stack that ends at `stack_end`. The
 * kernel's answer: the new thread's id or a negative errno. */
long arch_clone(unsigned long flags, void *stack_end, volatile int32_t *parent_tid,
		volatile int32_t *child_tid, uintptr_t tp, void (*fn)(void *), void *argument);

/*
 * A system call of this kernel that may block (its own number, nothing translated). If the flag is
 * not 0 the call is not begun, and the answer is DROVER_AGAIN. A signal handler that then calls
 * arch_wait_break with its context makes the answer DROVER_AGAIN too if the call has had no effect
 * yet, so nothing is lost between the look at the flag and the sleep.
 */
long arch_wait(const volatile int *flag, long n, long a, long b, long c, long d, long e, long f);
void arch_wait_break(void *context);

/* Goes back to the kernel from a signal handler; where SA_RESTORER points. */
void arch_signal_return(void);

#endif
