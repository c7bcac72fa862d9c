/*
 * The runtime's own state and what its files offer each other. Everything writable here is home
 * data: it belongs to the process and never travels. Code that captures or loads uses only this,
 * its own stack and system calls, for the program's memory may be half taken apart while it runs.
 */
#ifndef DROVER_RT_RT_H
#define DROVER_RT_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "control.h"
#include "image.h"
#include "migrator/rt/arch/arch.h"
#include "migrator/rt/ranges.h"
#include "migrator/rt/threads.h"

#if defined(__clang__)
#pragma clang section bss = ".bss.home" data = ".data.home"
#endif

#define RT_PAGE        4096u
#define RT_EXIT        125 /* status of a process that could not begin or go on */
#define RT_STACK_SIZE  (256ull << 20)
#define RT_STACK_START (DROVER_COMMON_END - RT_STACK_SIZE)
#define RT_STACK_GUARD (1ull << 20) /* below the stack, never mapped */
#define RT_FDS         DROVER_IMAGE_MAX_FILES
#define RT_MAP_SHARED  0x100u /* in the map table only: shared with others, cannot be carried */

/* A canonical system call with up to six arguments of any integer or pointer type. */
#define KERNEL_(n, a, b, c, d, e, f, ...)                                                          \
	arch_kernel(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define kernel(...)      KERNEL_X(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define KERNEL_X(n, ...) KERNEL_(n, __VA_ARGS__)

typedef int main_function(int, char **, char **);

struct rt {
	int ctl, image_out, image_in; /* descriptors, or -1 */
	bool planned;                 /* capture at plan_next, then every plan_every points */
	uint64_t plan_next, plan_every;
	uint64_t points, captures; /* points: atomic, only counted under a plan */
	volatile int request;      /* set by the request signal */
	bool wanted;               /* a capture is to be made at the next point that allows it */
	bool in_place;             /* images stay in one file, pages at their addresses: kept.h */
	bool here; /* it is for a process of this kernel and network: descriptors can be given */
	uint64_t deferred; /* the cause last reported */
	uint32_t last_tid; /* the greatest thread id given out */
	main_function *main_fn;
	int argc;
	char **argv, **envp;
	uint32_t pid; /* as the program knows it */
	uint32_t kernel_pid;
	int64_t clock_offset[4]; /* enum rt_clock */
	uint64_t save_started;
	char fault[40];
};
extern struct rt rt;

/* From the aligned link: the movable data, the bundle's identity, the functions. Weak, because a
   link without alignment makes a program that runs but does not move. */
extern char __drover_data_start[] __attribute__((__weak__));
extern char __drover_data_end[] __attribute__((__weak__));
extern const uint8_t __drover_build_id[] __attribute__((__weak__));
extern const struct drover_fn __start_drover_fns[] __attribute__((__weak__));
extern const struct drover_fn __stop_drover_fns[] __attribute__((__weak__));

/* From the C library (binaries/musl). */
/* Constructors, main and exit, instrumented; there in bundles. */
main_function __drover_program __attribute__((__weak__));
/* Whether the calling thread has been asked to end and may be. */
int __drover_libc_cancelled(void);
/* Of the stack that the C library mapped for a thread: its lowest address and size. */
uint64_t __drover_libc_stack_low(uintptr_t tp);
uint64_t __drover_libc_stack_size(uintptr_t tp);
size_t __drover_libc_page_size(void);
const size_t *__drover_libc_auxv(void);
void __drover_libc_arguments(char **argv, char **envp);
void __drover_libc_save(struct drover_image_libc *l);
void __drover_libc_load(const struct drover_image_libc *l);
/* Of the calling thread. A thread other than main has its structure in the program's memory: for it
 * only what the processor and the kernel hold is loaded. */
void __drover_libc_save_thread(struct drover_image_thread *t);
void __drover_libc_load_thread(const struct drover_image_thread *t, int is_main);
void __libc_start_init(void);

/* ---- text.c: one line for a person, without the C library ----------------- */
struct text {
	char b[168];
	size_t n;
};
void text_str(struct text *t, const char *s);
void text_num(struct text *t, uint64_t v);
void text_hex(struct text *t, uint64_t v);
/* "drover: TEXT" to standard error. */
void rt_say(const struct text *t);
/* Says it, tells the supervisor REFUSED, and ends with RT_EXIT. */
_Noreturn void rt_die(const struct text *t, int status);
_Noreturn void rt_exit(int status);

/* ---- control.c: the supervisor -------------------------------------------- */
/* Takes what the supervisor put in the environment, and removes it from envp. */
void control_take(char **envp);
bool control_hidden(long fd);
/* Where descriptors go that the program must not meet: above its table if the limit allows. */
long control_high_number(void);
void control_send(uint32_t type, int32_t status, const uint64_t *a, unsigned n,
		  const struct text *t);
/* Reads the requests that have come; sets rt.wanted. */
void control_drain(void);
/* Sends descriptors to the supervisor, which go on to the process that loads; 0 or a negative
 * errno. */
long control_give(const int *fds, uint32_t n);
/* Receives as many, each with a number of at least `above`; 0 or a negative errno. */
long control_take_given(int *fds, uint32_t n, long above);
/* Waits for one of the two types; 0: the supervisor is gone. */
uint32_t control_wait(uint32_t one, uint32_t other);
/* Ends the process here if DROVER_FAULT names this point. */
void rt_fault(const char *name);
/* Nanoseconds of this machine's CLOCK_MONOTONIC. */
uint64_t rt_now(void);

/* ---- memory.c ------------------------------------------------------------- */
extern struct ranges memory;
long memory_mmap(uint64_t addr, uint64_t len, int prot, int flags, int fd, int64_t offset);
long memory_munmap(uint64_t addr, uint64_t len);
long memory_mremap(uint64_t addr, uint64_t len, uint64_t new_len, int flags, uint64_t new_addr);
long memory_mprotect(uint64_t addr, uint64_t len, int prot);
long memory_madvise(uint64_t addr, uint64_t len, int advice);
/* Maps exactly [start, end), private and zero, outside the table's knowledge; 0 or negative errno.
 */
int memory_map_exactly(uint64_t start, uint64_t end, int prot);
/* Memory of the runtime's own, outside the common range; NULL if there is none. */
void *memory_own(uint64_t len);
/* The common stack, and argv and envp beside it; begins a program. */
int memory_begin(void);

/* ---- files.c: which descriptors are the program's ------------------------- */
void files_begin(void);
void files_opened(long fd);
void files_duplicated(long from, long to);
void files_closed(uint64_t first, uint64_t last);
/* What the kernel does not say later of a new description (struct object_origin), that two are the
 * ends of one pair, and what shutdown(2) did. */
void files_made(long fd, uint32_t kind, uint64_t made);
/* The clock a timer descriptor was made with. */
int files_timer_clock(long fd);
void files_paired(long a, long b);
void files_shut(long fd, long how);
/* Of sockets: what accept(2), connect(2), listen(2), setsockopt(2) and recvmsg(2) did. */
void files_accepted(long listener, long fd);
void files_connected(long fd);
void files_listens(long fd, long backlog);
void files_option(long fd, long level, long name);
void files_received(const void *message);

/* ---- files_capture.c, files_load.c ---------------------------------------- */
struct files_image {
	struct drover_image_file *v;
	uint32_t n;
	char *strings;
	uint32_t strings_n;
};
/* Whether all that is not the stack can be carried now. REFUSE for good, DEFER until later. */
enum capture_verdict { CAPTURE_OK, CAPTURE_DEFER, CAPTURE_REFUSE };
/* Appends a string; its place, or length 0 and offset ~0 if there is no room. */
struct drover_image_string files_string(struct files_image *f, const char *s, size_t n);
/* Describes all descriptors; anything but OK with a text: one cannot be carried. */
enum capture_verdict files_capture(struct files_image *f, struct text *why);
/* Writes what belongs to them at *offset of the image, which moves on; 0 or a negative errno. */
int files_write(struct files_image *f, uint64_t *offset);
/* The numbers of those that are handed over, in the image's order; `out` has room for all. */
uint32_t files_given(const struct files_image *f, int *out);
bool files_load(const struct files_image *f, struct text *why);

/* ---- signals.c ------------------------------------------------------------ */
void signals_begin(void);
long signals_action(int signal, const void *new_action, void *old_action, size_t size);
long signals_mask(int how, const uint64_t *set, uint64_t *old, size_t size);
/* Whether a signal waits for the calling thread, or any, that nobody may take now. */
uint64_t signals_pending(void);
/* A mask of the program as the kernel gets it: it never blocks the supervisor's signal. */
uint64_t signals_kernel_mask(uint64_t mask);
void signals_block_all(uint64_t *old);
void signals_set_mask(uint64_t mask);
void signals_save(struct drover_image_signal *out);
void signals_load(const struct drover_image_signal *in);

/* ---- clocks.c ------------------------------------------------------------- */
enum rt_clock { RT_MONOTONIC, RT_BOOTTIME, RT_REALTIME, RT_CPU };
long clocks_get(int id, int64_t *ts);
long clocks_nanosleep(int id, int flags, const int64_t *request, int64_t *remaining);
int64_t clocks_offset(int id);
/* CPU time of the calling thread over all its moves, nanoseconds. */
int64_t clocks_thread_cpu(void);
void clocks_save(struct drover_image_process *p);
void clocks_load(const struct drover_image_process *p);

/* ---- wait.c --------------------------------------------------------------- */
/* A canonical call that needs no translation and may block, made so that a stop or a cancellation
 * breaks it off: the kernel's answer, -EINTR if the program has a reason for it, or DROVER_AGAIN.
 */
long wait_call(long n, long a, long b, long c, long d, long e, long f);
/* The time that is left of a relative timeout (seconds, nanoseconds; NULL: for ever) that began
 * with the first try; `left` has room for it. */
const int64_t *wait_left(struct drover_wait *w, const int64_t *timeout, int64_t *left);
/* w NULL: not to be broken off. */
long wait_futex(struct drover_wait *w, long a, long op, long c, long d, long e, long f);

/* ---- timers.c ------------------------------------------------------------- */
/* timer_create and its kin. */
long timers_call(long n, long a, long b, long c, long d);
long timers_timerfd(long fd, long flags, const int64_t *spec, int64_t *old, int clock);
long timers_limit(long resource, const uint64_t *new_limit, uint64_t *old);
long timers_rusage(long who, int64_t *usage);
long timers_times(int64_t *out);
/* Whether all timers can be carried; if not, the text says why. */
bool timers_movable(struct text *why);
/* Timers, limits and pending signals into the image, while all signals are blocked; they stay as
 * they are. False with a text. */
bool timers_capture(struct drover_image_process *p, struct text *why);
bool timers_load(const struct drover_image_process *p, struct text *why);
void timers_forked(void);
/* Sends the image's pending signals to this process. */
void timers_send(const struct drover_image_process *p);
/* Takes the next signal that is pending here and is not in the image, nor a timer's, which runs on
 * elsewhere; false: there is none. *p is used up. */
bool timers_late(struct drover_image_process *p, struct drover_image_pending *out);

/* ---- blocking.c ----------------------------------------------------------- */
/* A system call that may block, other than futex, made so that a stop breaks it off; *known is
 * false if it is none. */
long blocking_call(struct drover_wait *w, bool *known, long n, const long *a);

/* ---- router.c, router_files.c --------------------------------------------- */
long __drover_syscall(long n, long a, long b, long c, long d, long e, long f);
/* System calls about descriptors. */
long route_files(long n, long a, long b, long c, long d, long e, long f);
/* A process or thread id as the program knows it, for the kernel; negative ones name groups. */
long route_own_id(long id);

/* ---- unwind.c, rebuild.c -------------------------------------------------- */
/* The functions whose frames are a thread's outermost: unwinding ends there. */
extern const void *const main_base, *const thread_base;
/* Room for `size` bytes of a thread's frame records; false if there is none. */
bool frames_reserve(struct rt_thread *t, uint64_t size);
/* At a poll: whether a capture is to be tried here. Counts the point under a plan. */
bool point_wanted(void);
/* A request stands but has to wait: tells the supervisor once per cause. */
void point_defer(const struct text *why);
/* Checks a thread's whole chain; false with a text. */
bool rebuild_check(struct rt_thread *t, struct text *why);
/* Runs a thread on from its checked frames; returns what its outermost function returns. */
__attribute__((__noinline__)) int rebuild_run(struct rt_thread *self);
/* The calling thread's own part of the image. */
void thread_save_state(struct rt_thread *self);
void thread_load_state(struct rt_thread *self);

/* ---- capture.c, load.c ---------------------------------------------------- */
/* At the start: lets the kernel provide the memory that every capture writes, lest all threads
 * stand still for that. */
void capture_begin(void);
/* Whether the process may be captured, but for its stacks. */
enum capture_verdict capture_prepare(struct text *why);
/* Writes the image and gives the descriptors that are handed over; false with a text. */
bool capture_write(uint64_t *bytes, uint64_t *given, struct text *why);
/* After the image was handed over: tells the supervisor of signals that have come since. */
void capture_late(void);
/* Loads the image, or does not return. */
void load_image(main_function *main_fn);

#endif
