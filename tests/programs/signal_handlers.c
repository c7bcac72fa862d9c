/* Handlers: raised in a handler, nested, deferred while they run, on an alternate stack, used up by
 * the first signal; with points before, between and behind, and in code that a handler has changed.
 */
#define _GNU_SOURCE
#include "sum.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static volatile sig_atomic_t trace[64], n;
static char alternate[65536];
static volatile int on_alternate;

static void note(int what)
{
	trace[n++ % 64] = what;
}

static void inner(int s)
{
	char here;

	note(s * 10);
	on_alternate += &here >= alternate && &here < alternate + sizeof(alternate);
}

static void outer(int s, siginfo_t *i, void *context)
{
	int kept = errno;

	note(s);
	raise(SIGUSR2); /* runs at once */
	if (n < 4)
		raise(SIGUSR1); /* waits until this handler has returned */
	note(i->si_signo == s && context ? s * 100 : -1);
	errno = kept;
}

static void once(int s)
{
	note(s * 1000);
}

int main(void)
{
	stack_t alt = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction a = {.sa_sigaction = outer, .sa_flags = SA_SIGINFO},
			 b = {.sa_handler = inner, .sa_flags = SA_ONSTACK | SA_NODEFER},
			 c = {.sa_handler = once, .sa_flags = (int)SA_RESETHAND}, now;
	uint64_t h = SUM_START;
	sigset_t mask;

	sigaltstack(&alt, NULL);
	sigaction(SIGUSR2, &b, NULL);
	sigaction(SIGTERM, &c, NULL);
	for (int i = 0; i < some(6); i++) {
		a.sa_flags = SA_SIGINFO | (i == 2 ? (int)SA_RESETHAND : 0);
		sigaction(SIGUSR1, &a, NULL);
		n = 0;
		if (i == 4)
			raise(SIGTERM);
		if (i != 2)
			raise(SIGUSR1);
		else
			raise(SIGUSR2);
		for (int k = 0; k < n && k < 6; k++)
			h = mix(h, (uint64_t)trace[k]);
		sigaction(SIGTERM, NULL, &now);
		h = mix(h, now.sa_handler == SIG_DFL);
		sigprocmask(SIG_BLOCK, NULL, &mask);
		h = mix(h, (uint64_t)sigismember(&mask, SIGUSR1));
		h = mix(h, (uint64_t)on_alternate);
		printf("%d: %d %016llx\n", i, n < 6 ? n : 6, (unsigned long long)h);
		if (i == 3)
			signal(SIGUSR1, SIG_IGN), raise(SIGUSR1);
		a.sa_sigaction = outer;
	}
	return 0;
}
