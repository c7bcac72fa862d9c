/*
 * How all threads stop, and go on together. See threads.h for the idea.
 *
 *   IDLE      nothing is asked, or it waits for a better moment
 *   GATHER    a leader has begun an attempt; threads look at their stacks and stand ready
 *   CONFIRM   all are ready: each looks whether a signal has come for it since it blocked them all
 *   SAVE      none has: each saves its stack and goes to its base; the leader writes the image
 *   REBUILD   it is not handed over (or was loaded): each rebuilds its stack, and waits for all
 *
 * All of this is under one lock, also the unwinding, so that the unwinder never waits for itself.
 * Who holds the lock has all signals blocked and reaches no migration point.
 */
#include "migrator/rt/threads.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "migrator/rt/rt.h"

enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

/* A thread that has not come by then runs something long that has no migration points, or waits for
 * one that stands: let all go on, and try again after ten times as long. */
#define PATIENCE_NS 200000000ull
#define REST_FACTOR 10u

enum phase { IDLE, GATHER, CONFIRM, SAVE, REBUILD };

static volatile int locked; /* 0 free, 1 held, 2 held and waited for */
static volatile enum phase phase;
static volatile int turn; /* raised when what a thread waits for may have come */
static uint32_t attempt;  /* number of the one that runs */
static uint32_t live = 1, ready, confirmed, saved, rebuilt;
static struct rt_thread *leader;
static uint64_t gather_began, rest_until, rebuild_began;

/* ---- lock and turn -------------------------------------------------------- */

void stop_lock(void)
{
	int v = 0;

	if (__atomic_compare_exchange_n(&locked, &v, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&locked, 2, __ATOMIC_ACQUIRE))
		kernel(SYS_futex, &locked, FUTEX_WAIT_PRIVATE, 2, 0);
}

void stop_unlock(void)
{
	if (__atomic_exchange_n(&locked, 0, __ATOMIC_RELEASE) == 2)
		kernel(SYS_futex, &locked, FUTEX_WAKE_PRIVATE, 1);
}

static void announce(void)
{
	__atomic_fetch_add(&turn, 1, __ATOMIC_SEQ_CST);
	kernel(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, INT32_MAX);
}

/* Gives the lock up until something is announced, or so many nanoseconds have passed (0: no limit).
 */
static void wait_turn(uint64_t limit_ns)
{
	int64_t ts[2] = {(int64_t)(limit_ns / 1000000000u), (int64_t)(limit_ns % 1000000000u)};
	int seen = turn;

	stop_unlock();
	kernel(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, limit_ns ? ts : NULL);
	stop_lock();
}

/* ---- flags ---------------------------------------------------------------- */

void stop_set_poll(void)
{
	/* First cleared, then looked: a request that comes between sets it again. */
	__atomic_store_n(&__drover_poll, 0, __ATOMIC_SEQ_CST);
	if (rt.planned || rt.wanted || __atomic_load_n(&rt.request, __ATOMIC_SEQ_CST) ||
	    __atomic_load_n(&phase, __ATOMIC_SEQ_CST) == GATHER)
		__atomic_store_n(&__drover_poll, 1, __ATOMIC_SEQ_CST);
}

static void interrupt_all(bool on)
{
	for (uint32_t i = 0; i < threads_end; i++) {
		if (on)
			__atomic_fetch_or(&threads[i].interrupt, INTERRUPT_STOP, __ATOMIC_SEQ_CST);
		else
			__atomic_fetch_and(&threads[i].interrupt, ~INTERRUPT_STOP,
					   __ATOMIC_SEQ_CST);
	}
}

static void set_phase(enum phase p)
{
	__atomic_store_n(&phase, p, __ATOMIC_SEQ_CST);
	announce();
}

/* ---- threads that come and go --------------------------------------------- */

void stop_thread_came(void)
{
	live++;
}

void stop_thread_left(void)
{
	live--;
	if (phase == GATHER)
		announce();
}

/* ---- attempts ------------------------------------------------------------- */

static void name_thread(struct text *why, const struct rt_thread *t)
{
	if (live < 2)
		return;
	text_str(why, "thread ");
	text_num(why, t->tid);
	text_str(why, ": ");
}

static void begin(struct rt_thread *self)
{
	long pid = kernel(SYS_getpid, 0);

	attempt++;
	ready = confirmed = saved = 0;
	leader = self;
	gather_began = rt_now();
	set_phase(GATHER);
	__drover_poll = 1;
	if (live < 2)
		return;
	interrupt_all(true);
	for (uint32_t i = 0; i < threads_end; i++)
		if (&threads[i] != self && threads[i].place == THREAD_RUNS)
			kernel(SYS_tgkill, pid, threads[i].ktid, DROVER_CONTROL_SIGNAL);
}

/* Ends the attempt; all go on where they are. The cause is reported once. */
static void give_up(enum capture_verdict v, const struct text *why)
{
	for (uint32_t i = 0; i < threads_end; i++)
		if (threads[i].place == THREAD_READY)
			threads[i].place = THREAD_RUNS;
	interrupt_all(false);
	if (v == CAPTURE_REFUSE) {
		rt.wanted = false;
		control_send(DROVER_MSG_REFUSED, -EBUSY, NULL, 0, why);
	} else {
		point_defer(why);
	}
	set_phase(IDLE);
	stop_set_poll();
}

/* The leader, ready itself: until all are, or one has ended the attempt, or patience has. */
static void await_all(uint32_t mine)
{
	while (phase == GATHER && attempt == mine && ready < live) {
		uint64_t spent = rt_now() - gather_began;
		struct text why = {0};

		if (spent < PATIENCE_NS) {
			wait_turn(PATIENCE_NS - spent);
			continue;
		}
		for (uint32_t i = 0; i < threads_end; i++) {
			if (threads[i].place != THREAD_RUNS)
				continue;
			name_thread(&why, &threads[i]);
			text_str(&why, "runs or waits in code without migration points");
			break;
		}
		rest_until = rt_now() + REST_FACTOR * spent;
		give_up(CAPTURE_DEFER, &why);
	}
}

/* All threads are ready: what is not a stack. */
static void check_process(void)
{
	struct text why = {0};
	enum capture_verdict v = capture_prepare(&why);

	if (v == CAPTURE_OK) {
		set_phase(live > 1 ? CONFIRM : SAVE);
		return;
	}
	/* The next points are not to be spent on looking; a plan's are. */
	if (!rt.planned)
		rest_until = rt_now() + REST_FACTOR * (rt_now() - gather_began);
	give_up(v, &why);
}

/* The thread's own part: true if it may be saved as it stands. */
static bool can_save(struct rt_thread *self, struct text *why)
{
	name_thread(why, self);
	/* Of several threads it is not known for which one it waits. */
	if (live > 1 && signals_pending()) {
		text_str(why, "a blocked signal is pending");
		return false;
	}
	return unwind_look(why);
}

/* A signal that another thread sent before it stood itself. The last one lets all save. */
static void confirm(struct rt_thread *self)
{
	struct text why = {0};

	if (signals_pending()) {
		name_thread(&why, self);
		text_str(&why, "a signal has just come");
		give_up(CAPTURE_DEFER, &why);
		return;
	}
	if (++confirmed == live)
		set_phase(SAVE);
	while (phase == CONFIRM)
		wait_turn(0);
}

/* In the phase GATHER: stands ready until the attempt is decided. */
static void take_part(struct rt_thread *self)
{
	uint32_t mine = attempt;
	struct text why = {0};

	if (!can_save(self, &why)) {
		give_up(CAPTURE_DEFER, &why);
		return;
	}
	self->place = THREAD_READY;
	ready++;
	if (self == leader) {
		await_all(mine);
		if (phase == GATHER && attempt == mine)
			check_process();
	} else {
		if (ready == live)
			announce();
		while (phase == GATHER && attempt == mine)
			wait_turn(0);
	}
	if (phase == CONFIRM && attempt == mine)
		confirm(self);
	if (phase != SAVE || attempt != mine)
		return;
	self->csp = *thread_csp(self);
	self->frames_size = self->frames_count = 0;
	unwind_save(self);
}

void stop_at_point(struct rt_thread *self)
{
	bool lead;

	/* A child of posix_spawn, before its exec, is not the program, though it has its memory. */
	if (kernel(SYS_getpid, 0) != (long)rt.kernel_pid)
		return;
	lead = point_wanted();
	if (!lead && __atomic_load_n(&phase, __ATOMIC_SEQ_CST) != GATHER) {
		if (!rt.request)
			__atomic_fetch_and(&self->interrupt, ~INTERRUPT_STOP, __ATOMIC_SEQ_CST);
		stop_set_poll();
		return;
	}
	signals_block_all(&self->mask);
	stop_lock();
	if (phase == IDLE && lead && rt.wanted && rt_now() >= rest_until) {
		rt_fault("rt.before-capture");
		rt.save_started = rt_now();
		begin(self);
	}
	/* Another attempt may have begun before this thread saw the end of the one before. */
	while (phase == GATHER)
		take_part(self);
	if (!rt.request)
		__atomic_fetch_and(&self->interrupt, ~INTERRUPT_STOP, __ATOMIC_SEQ_CST);
	stop_set_poll();
	stop_unlock();
	signals_set_mask(self->mask);
}

/* ---- at the base ---------------------------------------------------------- */

static uint32_t frames_of_all(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < threads_end; i++)
		if (threads[i].place == THREAD_SAVED)
			n += threads[i].frames_count;
	return n;
}

/* All stacks are saved: writes the image and learns what becomes of the process. Returns when it
 * goes on here. */
static void hand_over(void)
{
	uint64_t unwound = rt_now();
	uint64_t a[8] = {0, frames_of_all(), rt.points, unwound - rt.save_started,
			 0, frames_of_all(), live,      0};
	struct text why = {0};
	uint32_t answer;

	rt.captures++;
	rt.wanted = false;
	if (!capture_write(&a[0], &a[7], &why)) {
		control_send(DROVER_MSG_REFUSED, -EIO, NULL, 0, &why);
		return;
	}
	a[4] = rt_now() - unwound;
	control_send(DROVER_MSG_CAPTURED, 0, a, 8, NULL);
	rt_fault("rt.after-capture");
	answer = control_wait(DROVER_MSG_COMMIT, DROVER_MSG_ABORT);
	if (answer == DROVER_MSG_COMMIT) {
		capture_late();
		rt_exit(0);
	}
	/* Nobody can decide any more: stand still until this process is ended from outside. */
	while (!answer)
		kernel(SYS_ppoll, 0, 0, 0, 0, 0);
}

static void rebuild_all(void)
{
	for (uint32_t i = 0; i < threads_end; i++) {
		struct text why = {0};

		if (threads[i].place != THREAD_SAVED)
			continue;
		if (!rebuild_check(&threads[i], &why))
			rt_die(&why, -EFAULT);
	}
	rebuilt = 0;
	rebuild_began = rt_now();
	set_phase(REBUILD);
}

void stop_saved(struct rt_thread *self)
{
	thread_save_state(self);
	self->place = THREAD_SAVED;
	if (++saved == live)
		announce();
	if (self == leader) {
		while (saved < live)
			wait_turn(0);
		hand_over();
		rebuild_all();
	} else {
		while (phase == SAVE)
			wait_turn(0);
	}
	stop_unlock();
}

void stop_loading(uint32_t n)
{
	live = n;
	rebuilt = 0;
	phase = REBUILD;
}

void stop_go(void)
{
	rebuild_began = rt_now();
}

void stop_forked(void)
{
	locked = 0;
	phase = IDLE;
	live = 1;
}

/* The last one to come lets all go. */
static void gate(void)
{
	uint64_t a[] = {rt_now() - rebuild_began};

	if (++rebuilt < live) {
		while (phase == REBUILD)
			wait_turn(0);
		return;
	}
	rt.deferred = 0;
	for (uint32_t i = 0; i < threads_end; i++)
		if (threads[i].place == THREAD_SAVED)
			threads[i].place = THREAD_RUNS;
	interrupt_all(false);
	control_send(DROVER_MSG_RESUMED, 0, a, 1, NULL);
	set_phase(IDLE);
	stop_set_poll();
}

void stop_resumed(struct rt_thread *self)
{
	stop_lock();
	gate();
	stop_unlock();
	*thread_csp(self) = self->csp;
	signals_set_mask(self->mask);
}

_Noreturn void stop_main_ended(struct rt_thread *self)
{
	stop_lock();
	gate();
	self->place = THREAD_ENDED;
	live--;
	stop_unlock();
	for (;;)
		kernel(SYS_ppoll, 0, 0, 0, 0, 0);
}
