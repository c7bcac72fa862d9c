/*
 * The threads of a program, and how all of them stop.
 *
 * A thread has a native stack, which is the runtime's and belongs to the process, and a common
 * stack, which is what the C library mapped for it and moves with the program, its struct pthread
 * (the program's pthread_t) at the upper end. The thread pointer is the same before and after a
 * move. The kernel's thread id is not: the program knows a number that is its own.
 *
 * A stop (docs/runtime.md, "Stopping all threads"): the thread that finds a request begins it and
 * leads; every other thread comes to a migration point by itself or is taken out of a system call
 * that waits, looks whether its stack can be saved, and stands ready. When all are ready all save
 * their stacks, the leader writes the image, and all go on together or not at all. One that cannot
 * be saved ends the attempt, and all go on as if nothing had been asked.
 */
#ifndef DROVER_RT_THREADS_H
#define DROVER_RT_THREADS_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "image.h"
#include "migrator/rt/arch/arch.h"

struct text;

enum thread_place {
	THREAD_NONE,  /* the entry is free once the kernel's thread has gone */
	THREAD_RUNS,  /* program code, or a call of it */
	THREAD_READY, /* at a migration point, stack untouched */
	THREAD_SAVED, /* at its base, stack saved */
	THREAD_ENDED  /* main after pthread_exit: waits for the process to end */
};

/* Why a blocking call is not begun: bits of rt_thread.interrupt. */
enum { INTERRUPT_STOP = 1, INTERRUPT_CANCEL = 2 };

struct rt_thread {
	uintptr_t tp;          /* its struct pthread */
	uint32_t tid;          /* as the program knows it */
	volatile int32_t ktid; /* the kernel's; the kernel clears it when the thread has gone */
	enum thread_place place;
	int (*entry)(void *); /* what it began with; NULL for main */
	void *argument;
	volatile int *clear;         /* cleared, and waiters woken, when it ends */
	volatile int interrupt;      /* INTERRUPT_* */
	volatile uint32_t delivered; /* handlers of the program that ran in it, as in the image */
	uint64_t mask;               /* the program's, while it stands still */
	char *csp;                   /* common stack pointer, while it stands still */
	int64_t cpu_offset;          /* of its CPU clock */
	unsigned char *frames;       /* records of its stack, innermost first */
	uint64_t frames_size, frames_room;
	uint32_t frames_count;
	uint32_t *offsets; /* of the records, innermost first, in units of 16 bytes */
	uint64_t offsets_room;
	uint32_t cursor; /* while rebuilding: the record of the frame that runs */
	void *stack;     /* native; NULL for main */
	uint64_t stack_size;
	struct drover_image_thread state;
	jmp_buf base;
};

#define RT_THREADS DROVER_IMAGE_MAX_THREADS
extern struct rt_thread threads[RT_THREADS]; /* the first is main's */
extern uint32_t threads_end;                 /* entries from here on were never used */

/* The calling thread. */
struct rt_thread *thread_self(void);

/* The word of a thread that compiled code uses. */
static inline char **thread_csp(const struct rt_thread *t)
{
	return (char **)(t->tp + DROVER_CSP_OFFSET);
}

/* Makes the calling thread the program's first. */
void threads_begin(uint32_t tid);

/* In a child of fork: only the calling thread is left. */
void threads_forked(uint32_t tid);

/* The kernel's id of a thread the program knows as `tid`; 0: there is none. */
int32_t threads_kernel_id(uint32_t tid);

/* The calling thread ends; first [base, base + size) is unmapped if size is not 0. */
_Noreturn void thread_end(void *base, uint64_t size);

/* For the C library's pthread_create, in place of clone(2). */
int __drover_thread_create(int (*entry)(void *), void *stack, int flags, void *argument, int *tid,
			   void *tp, volatile int *clear);

/* A thread out of an image, that waits with its frames for thread_resumed(); 0 or negative errno.
 * Everything up to csp is filled in, and frames. */
int thread_make(struct rt_thread *t);
/* An entry for a new thread, THREAD_NONE still; NULL: there are too many. */
struct rt_thread *thread_entry(void);

/* ---- stop.c --------------------------------------------------------------- */

/* The lock on the table and on a stop; its holder reaches no migration point. */
void stop_lock(void);
void stop_unlock(void);
/* Under the lock: a thread has come, or has gone. */
void stop_thread_came(void);
void stop_thread_left(void);

/* What a poll does when it is more than a look at the flag; may not return (capture). */
void stop_at_point(struct rt_thread *self);

/* The calling thread's stack has been saved and it stands at its base. Returns when it is to be
 * rebuilt here. */
void stop_saved(struct rt_thread *self);

/* In a child of fork: nobody else holds the lock. */
void stop_forked(void);
/* A process that loads an image: n threads will come to stop_resumed(). */
void stop_loading(uint32_t n);
/* They may go as soon as they have come. */
void stop_go(void);
/* The calling thread's frames are rebuilt; returns when those of all are. */
void stop_resumed(struct rt_thread *self);
/* Main, which has ended already, lets the others go after an image was loaded; does not return. */
_Noreturn void stop_main_ended(struct rt_thread *self);

/* Sets the flag that polls look at, from all that asks for it. */
void stop_set_poll(void);

/* ---- unwind.c, rebuild.c -------------------------------------------------- */

/* Lets the unwinder set up what it does once a process, before it is asked. */
void unwind_prepare(void);
/* Whether all frames up to the thread's base can be saved; if not, the text says why. */
bool unwind_look(struct text *why);
/* Saves them; ends by a jump to the base. */
_Noreturn void unwind_save(struct rt_thread *self);

#endif
