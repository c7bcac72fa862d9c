/*
 * Migration points, and saving a stack by unwinding it. The unwinder runs twice: once only looking,
 * to be sure that every frame up to the one that called main has a landing pad for the call it is
 * in; then for good, each landing pad storing its frame's live values. What the first pass finds in
 * the way (a call through code that is not instrumented, a signal handler, an exit handler) defers
 * the migration and changes nothing.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <setjmp.h>
#include <sys/syscall.h>
#include <unwind.h>

#include "migrator/rt/lsda.h"

volatile int __drover_poll;
char *__drover_csp;

unsigned char *frames;
uint64_t frames_size;
uint32_t frames_count;
static uint64_t frames_room;

static const void *base_function;
static jmp_buf *base_jump;

static struct {
	bool looking;
	bool checked;        /* the personality has found the last frame good */
	bool first;          /* no frame of the program seen yet */
	bool reached;        /* the base */
	uint64_t foreign_pc; /* in a frame that cannot be saved */
} pass;

void unwind_set_base(const void *function, void *jump_buffer)
{
	base_function = function;
	base_jump = jump_buffer;
}

/* ---- frame records -------------------------------------------------------- */

bool frames_reserve(uint64_t size)
{
	uint64_t room = frames_room ? frames_room : 1u << 20;
	void *p;

	if (size <= frames_room)
		return true;
	if (size > DROVER_IMAGE_MAX_FRAMES_BYTES)
		return false;
	while (room < size)
		room *= 2;
	p = memory_own(room);
	if (!p)
		return false;
	for (uint64_t i = 0; i < frames_size; i += 8)
		*(uint64_t *)((char *)p + i) = *(uint64_t *)(frames + i);
	if (frames)
		kernel(SYS_munmap, frames, frames_room);
	frames = p;
	frames_room = room;
	return true;
}

void *__drover_frame(uint64_t fn, uint32_t site, uint32_t size)
{
	uint64_t bytes = (sizeof(struct drover_frame) + size + 15) & ~15ull;
	struct drover_frame *f;

	if (!frames_reserve(frames_size + bytes) || frames_count == DROVER_IMAGE_MAX_FRAMES) {
		struct text t = {0};

		text_str(&t, "the stack is too deep to be saved; frames: ");
		text_num(&t, frames_count);
		rt_die(&t, -ENOMEM);
	}
	f = (void *)(frames + frames_size);
	f->fn = fn;
	f->site = site;
	f->size = size;
	frames_size += bytes;
	frames_count++;
	return f->payload;
}

/* ---- the two passes ------------------------------------------------------- */

_Unwind_Reason_Code __drover_personality(int version, _Unwind_Action actions, uint64_t class,
					 struct _Unwind_Exception *e, struct _Unwind_Context *c);

_Unwind_Reason_Code __drover_personality(int version, _Unwind_Action actions, uint64_t class,
					 struct _Unwind_Exception *e, struct _Unwind_Context *c)
{
	const unsigned char *lsda = (const void *)_Unwind_GetLanguageSpecificData(c);
	uint64_t start = _Unwind_GetRegionStart(c), pad;

	(void)class;
	if (version != 1 || !(actions & _UA_FORCE_UNWIND) || !lsda)
		return _URC_CONTINUE_UNWIND;
	/* The return address is behind the call. */
	pad = lsda_landing_pad(lsda, _Unwind_GetIP(c) - 1 - start);
	if (!pad)
		return _URC_CONTINUE_UNWIND;
	pass.checked = true;
	if (pass.looking)
		return _URC_CONTINUE_UNWIND;
	_Unwind_SetGR(c, __builtin_eh_return_data_regno(0), (uint64_t)e);
	_Unwind_SetGR(c, __builtin_eh_return_data_regno(1), 0);
	_Unwind_SetIP(c, start + pad);
	return _URC_INSTALL_CONTEXT;
}

static bool unwind_pass(bool looking);

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
	if (pass.first && (start == (uint64_t)unwind_pass || start == (uint64_t)__drover_poll_slow))
		return _URC_NO_REASON;
	if (start == (uint64_t)base_function || start == (uint64_t)rebuild_run) {
		pass.reached = true;
		if (!pass.looking)
			longjmp(*base_jump, 1);
		return _URC_NORMAL_STOP;
	}
	pass.first = pass.checked = false;
	pass.foreign_pc = _Unwind_GetIP(c);
	return _URC_NO_REASON;
}

/* Looking: whether the stack can be saved. Otherwise does not return. */
__attribute__((__noinline__)) static bool unwind_pass(bool looking)
{
	static struct _Unwind_Exception exception;

	pass.looking = looking;
	pass.first = true;
	pass.checked = pass.reached = false;
	exception.exception_class = 0;
	exception.exception_cleanup = NULL;
	_Unwind_ForcedUnwind(&exception, stop, NULL);
	return pass.reached;
}

/* ---- migration points ----------------------------------------------------- */

/* A request stands but has to wait: tell the supervisor once per cause. */
static void defer(uint64_t cause, struct text *why)
{
	if (cause == rt.deferred)
		return;
	rt.deferred = cause;
	control_send(DROVER_MSG_DEFERRED, 0, NULL, 0, why);
}

static uint64_t cause_of(const struct text *t)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < t->n; i++)
		h = (h ^ (unsigned char)t->b[i]) * 0x100000001b3ull;
	return h;
}

/* Without a plan, deferred requests are looked at less and less often, for a look costs a walk of
 * the stack. */
static bool skip_this_point(bool reset)
{
	static uint32_t left, interval;

	if (reset || rt.planned) {
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

/* Whether a capture is to be tried at this point. */
static bool wanted_here(void)
{
	if (rt.request) {
		rt.request = 0;
		control_drain();
		skip_this_point(true);
	}
	if (rt.planned) {
		rt.points++;
		if (rt.points == rt.plan_next) {
			rt.wanted = true;
			if (rt.plan_every)
				rt.plan_next += rt.plan_every;
		}
	}
	return rt.wanted && !skip_this_point(false);
}

__attribute__((__noinline__)) void __drover_poll_slow(void)
{
	struct text why = {0};
	enum capture_verdict v;

	if (!wanted_here()) {
		__drover_poll = rt.planned || rt.wanted || rt.request;
		return;
	}
	rt_fault("rt.before-capture");
	signals_block_all(&rt.mask);
	v = capture_prepare(&why);
	rt.save_started = rt_now();
	if (v == CAPTURE_OK && !unwind_pass(true)) {
		v = CAPTURE_DEFER;
		if (pass.foreign_pc) {
			text_str(&why, "called through code that is not instrumented, at ");
			text_hex(&why, pass.foreign_pc);
		} else {
			text_str(&why, "in a signal handler, or outside main");
		}
	}
	if (v == CAPTURE_OK) {
		rt.csp = __drover_csp;
		frames_size = frames_count = 0;
		unwind_pass(false); /* to the base, by longjmp */
		text_str(&why, "the stack could not be unwound a second time");
		rt_die(&why, -EFAULT);
	}
	if (v == CAPTURE_REFUSE) {
		rt.wanted = false;
		control_send(DROVER_MSG_REFUSED, -EBUSY, NULL, 0, &why);
	} else {
		defer(cause_of(&why), &why);
	}
	__drover_poll = rt.planned || rt.wanted || rt.request;
	signals_set_mask(rt.mask);
}
