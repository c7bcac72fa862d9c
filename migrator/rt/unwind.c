/*
 * Migration points, and saving a stack by unwinding it. The unwinder runs twice: once only looking,
 * to be sure that every frame up to the thread's base has a landing pad for the call it is
 * in; then for good, each landing pad storing its frame's live values. What the first pass finds in
 * the way (a call through code that is not instrumented, a signal handler, an exit handler) defers
 * the migration and changes nothing. One thread unwinds at a time: stop.c has the lock.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unwind.h>

#include "migrator/rt/lsda.h"

volatile int __drover_poll;

static struct {
	bool looking;
	bool entered;        /* the frame of the poll's slow path has been met */
	bool checked;        /* the personality has found the last frame good */
	bool first;          /* no frame of the program seen yet */
	bool reached;        /* the base */
	uint64_t foreign_pc; /* in a frame that cannot be saved */
} pass;

/* ---- frame records -------------------------------------------------------- */

bool frames_reserve(struct rt_thread *t, uint64_t size)
{
	uint64_t room = t->frames_room ? t->frames_room : 1u << 18;
	void *p;

	if (size <= t->frames_room)
		return true;
	if (size > DROVER_IMAGE_MAX_FRAMES_BYTES)
		return false;
	while (room < size)
		room *= 2;
	p = memory_own(room);
	if (!p)
		return false;
	for (uint64_t i = 0; i < t->frames_size; i += 8)
		*(uint64_t *)((char *)p + i) = *(uint64_t *)(t->frames + i);
	if (t->frames)
		kernel(SYS_munmap, t->frames, t->frames_room);
	t->frames = p;
	t->frames_room = room;
	return true;
}

void *__drover_frame(const struct drover_site *site)
{
	struct rt_thread *t = thread_self();
	uint64_t bytes = (sizeof(struct drover_frame) + site->size + 15) & ~15ull;
	struct drover_frame *f;

	if (!frames_reserve(t, t->frames_size + bytes) ||
	    t->frames_count == DROVER_IMAGE_MAX_FRAMES) {
		struct text why = {0};

		text_str(&why, "the stack is too deep to be saved; frames: ");
		text_num(&why, t->frames_count);
		rt_die(&why, -ENOMEM);
	}
	f = (void *)(t->frames + t->frames_size);
	f->fn = site->fn;
	f->site = site->number;
	f->size = site->size;
	t->frames_size += bytes;
	t->frames_count++;
	return f->payload;
}

static struct _Unwind_Exception exception;

/* _Unwind_Resume, declared as if it returned: so it is called in the place of its caller's frame,
 * which the unwinder then need not pass. */
void resume_unwinding(struct _Unwind_Exception *) __asm__("_Unwind_Resume");

__attribute__((__noinline__)) void __drover_unwind(void)
{
	resume_unwinding(&exception);
}

__attribute__((__noinline__)) void __drover_keep(const struct drover_site *site, const void *block,
						 const struct drover_homes *homes)
{
	uint32_t n;
	const struct drover_home *h = drover_homes_of(homes, site->number, &n);
	char *payload = __drover_frame(site);

	for (; n; n--, h++)
		memcpy(payload + h->offset, (const char *)block + h->home, h->size);
	resume_unwinding(&exception);
}

/* ---- the two passes ------------------------------------------------------- */

_Unwind_Reason_Code __drover_personality(int version, _Unwind_Action actions, uint64_t class,
					 struct _Unwind_Exception *e, struct _Unwind_Context *c);

_Unwind_Reason_Code __drover_personality(int version, _Unwind_Action actions, uint64_t class,
					 struct _Unwind_Exception *e, struct _Unwind_Context *c)
{
	const unsigned char *lsda = (const void *)_Unwind_GetLanguageSpecificData(c);
	uint64_t start = _Unwind_GetRegionStart(c), pad;

	(void)class, (void)e; /* landing pads do not ask for it */
	if (version != 1 || !(actions & _UA_FORCE_UNWIND) || !lsda)
		return _URC_CONTINUE_UNWIND;
	/* The return address is behind the call. */
	pad = lsda_landing_pad(lsda, _Unwind_GetIP(c) - 1 - start);
	if (!pad)
		return _URC_CONTINUE_UNWIND;
	pass.checked = true;
	if (pass.looking)
		return _URC_CONTINUE_UNWIND;
	_Unwind_SetIP(c, start + pad);
	return _URC_INSTALL_CONTEXT;
}

/* Called for each frame, innermost first, before its personality. */
static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, uint64_t class,
				struct _Unwind_Exception *e, struct _Unwind_Context *c,
				void *unused)
{
	uint64_t start;

	(void)version, (void)class, (void)e, (void)unused;
	/* For good, a frame is met again when its landing pad resumes: only looking sees each once.
	 */
	if (pass.looking && !pass.first && !pass.checked)
		return _URC_NORMAL_STOP; /* the frame before had no landing pad */
	if (actions & _UA_END_OF_STACK) {
		pass.foreign_pc = 0;
		return _URC_NORMAL_STOP;
	}
	start = _Unwind_GetRegionStart(c);
	if (!pass.entered) { /* still in the runtime: its entrance is the last of it */
		pass.entered = start == (uint64_t)__drover_poll_slow;
		return _URC_NO_REASON;
	}
	if (start == (uint64_t)main_base || start == (uint64_t)thread_base ||
	    start == (uint64_t)rebuild_run) {
		pass.reached = true;
		if (!pass.looking)
			longjmp(thread_self()->base, 1);
		return _URC_NORMAL_STOP;
	}
	pass.first = pass.checked = false;
	pass.foreign_pc = _Unwind_GetIP(c);
	return _URC_NO_REASON;
}

/* Looking: whether the stack can be saved. Otherwise does not return. */
__attribute__((__noinline__)) static bool unwind_pass(bool looking)
{
	pass.looking = looking;
	pass.first = true;
	pass.entered = pass.checked = pass.reached = false;
	exception.exception_class = 0;
	exception.exception_cleanup = NULL;
	_Unwind_ForcedUnwind(&exception, stop, NULL);
	return pass.reached;
}

void unwind_prepare(void)
{
	unwind_pass(true);
}

bool unwind_look(struct text *why)
{
	if (unwind_pass(true))
		return true;
	if (pass.foreign_pc) {
		text_str(why, "called through code that is not instrumented, at ");
		text_hex(why, pass.foreign_pc);
	} else {
		text_str(why, "in a signal handler, or outside main");
	}
	return false;
}

_Noreturn void unwind_save(struct rt_thread *self)
{
	struct text why = {0};

	(void)self;
	unwind_pass(false); /* to the base, by longjmp */
	text_str(&why, "the stack could not be unwound a second time");
	rt_die(&why, -EFAULT);
}

/* ---- migration points ----------------------------------------------------- */

enum { CAUSES = 8 }; /* remembered as reported */

void point_defer(const struct text *why)
{
	static uint64_t causes[CAUSES];
	static unsigned next;
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < why->n; i++)
		h = (h ^ (unsigned char)why->b[i]) * 0x100000001b3ull;
	for (unsigned i = 0; i < CAUSES && !rt.deferred; i++)
		causes[i] = 0;
	for (unsigned i = 0; i < CAUSES; i++)
		if (causes[i] == h)
			return;
	causes[next++ % CAUSES] = h;
	rt.deferred = h;
	control_send(DROVER_MSG_DEFERRED, 0, NULL, 0, why);
}

/* Without a plan, deferred requests are looked at less and less often, for a look costs a walk of
 * the stack. Threads may spoil each other's count, which does no harm. */
static bool skip_this_point(bool reset)
{
	static uint32_t left, interval;

	if (reset || (rt.planned && threads_end == 1)) {
		left = interval = 0;
		return false;
	}
	if (left) {
		left--;
		return true;
	}
	interval = interval < 1024 ? interval * 2 + 1 : interval;
	left = interval;
	return false;
}

/* Counts a point; true if the plan has a capture here. */
static bool planned_here(void)
{
	uint64_t point = __atomic_add_fetch(&rt.points, 1, __ATOMIC_RELAXED);
	uint64_t next = __atomic_load_n(&rt.plan_next, __ATOMIC_RELAXED), after;

	if (!next || point < next)
		return false;
	after = rt.plan_every ? next + ((point - next) / rt.plan_every + 1) * rt.plan_every : 0;
	return __atomic_compare_exchange_n(&rt.plan_next, &next, after, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

bool point_wanted(void)
{
	if (rt.request && __atomic_exchange_n(&rt.request, 0, __ATOMIC_SEQ_CST)) {
		control_drain();
		skip_this_point(true);
	}
	if (rt.planned && planned_here()) {
		rt.wanted = true;
		skip_this_point(true);
	}
	return rt.wanted && !skip_this_point(false);
}

__attribute__((__noinline__)) void __drover_poll_slow(void)
{
	stop_at_point(thread_self());
	/* No tail call: this frame is where the program's frames begin. */
	__asm__ __volatile__("" : : : "memory");
}
