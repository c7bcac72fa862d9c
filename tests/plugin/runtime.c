/* The runtime's side of the migration ABI, for tests, within one process and one ISA: at the K-th
 * poll the native stack is taken down, overwritten, and rebuilt from the records; memory stays.
 *
 *	DROVER_TEST_AT=K       capture at the K-th migration point (from 1)
 *	DROVER_TEST_EVERY=N    and at every N-th after it
 *	DROVER_TEST_COUNT=1    print the number of points to standard error at the end */
#include "migrator/include/abi.h"
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#define COMMON_STACK (64u << 20)
#define MAX_FRAMES   200000

extern const struct drover_fn __start_drover_fns[] __attribute__((weak));
extern const struct drover_fn __stop_drover_fns[] __attribute__((weak));
int program_main(int argc, char **argv);
extern char end[]; /* of the program; shared libraries lie above */

static char common_stack[COMMON_STACK] __attribute__((aligned(16)));
/* A word of the thread control block that the C library of this test does not use. */
#define CSP (*(char *volatile *)((char *)__builtin_thread_pointer() + DROVER_CSP_OFFSET))
volatile int __drover_poll;

static struct drover_frame **frames;
static unsigned nframes;
static unsigned long points, at, every;
static jmp_buf base;
static struct _Unwind_Exception unwinding;
static char *captured_csp;

/* A cleanup personality: no catching, just the landing pads. */
_Unwind_Reason_Code __gcc_personality_v0(int, _Unwind_Action, _Unwind_Exception_Class,
					 struct _Unwind_Exception *, struct _Unwind_Context *);
_Unwind_Reason_Code __drover_personality(int version, _Unwind_Action actions,
					 _Unwind_Exception_Class class,
					 struct _Unwind_Exception *exception,
					 struct _Unwind_Context *context);
_Unwind_Reason_Code __drover_personality(int version, _Unwind_Action actions,
					 _Unwind_Exception_Class class,
					 struct _Unwind_Exception *exception,
					 struct _Unwind_Context *context)
{
	return __gcc_personality_v0(version, actions, class, exception, context);
}

static void die(const char *what)
{
	fprintf(stderr, "test runtime: %s\n", what);
	abort();
}

static const struct drover_fn *find(uint64_t id)
{
	for (const struct drover_fn *f = __start_drover_fns; f < __stop_drover_fns; f++)
		if (f->id == id)
			return f;
	die("a frame of an unknown function");
	return NULL;
}

void *__drover_frame(const struct drover_site *site)
{
	struct drover_frame *f = NULL;
	const struct drover_fn *known = find(site->fn);

	if (site->number >= known->nsites || &known->sites[site->number] != site)
		die("a site that its function does not have");
	if (nframes == MAX_FRAMES || posix_memalign((void **)&f, 16, sizeof(*f) + site->size))
		die("no room for frames");
	f->fn = site->fn;
	f->site = site->number;
	f->size = site->size;
	memset(f->payload, 0xee, site->size);
	frames[nframes++] = f;
	return f->payload;
}

__attribute__((noinline)) void __drover_unwind(void)
{
	_Unwind_Resume(&unwinding);
	die("nothing to go on unwinding");
	abort();
}

__attribute__((noinline)) void __drover_keep(const struct drover_site *site, const void *block,
					     const struct drover_homes *homes)
{
	char *payload = __drover_frame(site);
	uint32_t n;
	const struct drover_home *h = drover_homes_of(homes, site->number, &n);

	for (; n; n--, h++) {
		if (h->home + h->size > homes->size || h->offset + h->size > site->size)
			die("a home outside its block");
		memcpy(payload + h->offset, (const char *)block + h->home, h->size);
	}
	__drover_unwind();
}

uint32_t __drover_load(const void *frame, void *block, const struct drover_homes *homes)
{
	const struct drover_frame *f = frame;
	uint32_t n;
	const struct drover_home *h = drover_homes_of(homes, f->site, &n);

	memset(block, 0xdd, homes->size);
	for (; n; n--, h++)
		memcpy((char *)block + h->home, f->payload + h->offset, h->size);
	return f->site;
}

struct drover_inner __drover_inner(void *frame)
{
	for (unsigned i = nframes; i-- > 1;)
		if (frames[i] == frame)
			return (struct drover_inner){find(frames[i - 1]->fn)->resume,
						     frames[i - 1]};
	die("no inner frame");
	return (struct drover_inner){NULL, NULL};
}

/* Ends at the frame that called the program: everything inside has been taken down. */
static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
				struct _Unwind_Exception *exception,
				struct _Unwind_Context *context, void *arg)
{
	(void)version, (void)class, (void)exception, (void)arg;
	if ((actions & _UA_END_OF_STACK) ||
	    _Unwind_GetCFA(context) > (uintptr_t)__builtin_frame_address(0) + (200u << 20))
		die("the stack ended too early");
	if (_Unwind_GetRegionStart(context) == (uintptr_t)arg)
		longjmp(base, 1);
	return _URC_NO_REASON;
}

static __attribute__((noinline)) int enter(int argc, char **argv);

/* A frame without landing pads is not the compiler's: capture waits until it has returned. */
static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *arg)
{
	bool *foreign = arg;

	if (_Unwind_GetRegionStart(context) == (uintptr_t)enter)
		return _URC_END_OF_STACK;
	if (_Unwind_GetRegionStart(context) != (uintptr_t)__drover_poll_slow &&
	    (!_Unwind_GetLanguageSpecificData(context) ||
	     _Unwind_GetRegionStart(context) > (uintptr_t)end))
		*foreign = true;
	return _URC_NO_REASON;
}

void __drover_poll_slow(void)
{
	bool foreign = false;

	points++;
	if (!at || points < at || (points > at && (!every || (points - at) % every)))
		return;
	_Unwind_Backtrace(look, &foreign);
	if (foreign)
		return;
	nframes = 0;
	captured_csp = CSP;
	_Unwind_ForcedUnwind(&unwinding, stop, (void *)enter);
	die("nothing to unwind");
}

/* Whatever still points to the old native stack shall notice. */
static __attribute__((noinline)) void scribble(void)
{
	char waste[256 << 10];

	memset(waste, 0xa5, sizeof(waste));
	__asm__ volatile("" : : "r"(waste) : "memory");
}

static int enter(int argc, char **argv)
{
	volatile int again = setjmp(base);

	if (!again)
		return program_main(argc, argv);
	scribble();
	CSP = captured_csp;
	if (!nframes)
		die("nothing was captured");
	struct drover_frame *outer = frames[nframes - 1];
	return ((int (*)(void *))find(outer->fn)->resume)(outer);
}

static unsigned long number(const char *name)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	frames = calloc(MAX_FRAMES, sizeof(*frames));
	at = number("DROVER_TEST_AT");
	every = number("DROVER_TEST_EVERY");
	__drover_poll = at || number("DROVER_TEST_COUNT");
	if (!frames)
		die("no memory");
	CSP = common_stack + COMMON_STACK;
	int status = enter(argc, argv);
	if (CSP != common_stack + COMMON_STACK)
		die("the common stack was not given back");
	fflush(stdout);
	if (number("DROVER_TEST_COUNT"))
		fprintf(stderr, "%lu\n", points);
	return status;
}
