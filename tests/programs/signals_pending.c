/* Signals: blocked ones that wait, also with a value; sets; handlers on another stack; raised by
 * itself at every step. */
#define _GNU_SOURCE
#include "sum.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t order[64], count;
static char *volatile inside;
static volatile long value;

static void note(int s)
{
	char here;

	inside = &here;
	order[count++ % 64] = s;
}

static void note_value(int s, siginfo_t *i, void *c)
{
	(void)c;
	order[count++ % 64] = s;
	value += i->si_value.sival_int + (i->si_code == SI_QUEUE) * 1000;
}

int main(void)
{
	static char stack[65536];
	stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)}, old;
	struct sigaction a = {.sa_handler = note, .sa_flags = SA_ONSTACK},
			 v = {.sa_sigaction = note_value, .sa_flags = SA_SIGINFO};
	sigset_t block, pending, before;
	uint64_t h = SUM_START;

	sigaltstack(&alt, NULL);
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	sigaction(SIGRTMIN + 1, &v, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigaddset(&block, SIGRTMIN + 1);
	for (int i = 0; i < some(24); i++) {
		if (i % 6 == 0)
			sigprocmask(SIG_BLOCK, &block, &before);
		kill(getpid(), i % 2 ? SIGUSR1 : SIGUSR2);
		if (i % 3 == 0)
			sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i});
		if (i % 6 == 5) {
			sigpending(&pending);
			h = mix(h, (uint64_t)sigismember(&pending, SIGUSR1) * 4 +
					   (uint64_t)sigismember(&pending, SIGRTMIN + 1) * 2 +
					   (uint64_t)sigismember(&pending, SIGUSR2));
			sigprocmask(SIG_SETMASK, &before, NULL);
		}
		h = mix(h, (uint64_t)count);
		h = mix(h, (uint64_t)value);
	}
	for (int i = 0; i < count && i < 64; i++)
		h = mix(h, (uint64_t)order[i]);
	sigaltstack(NULL, &old);
	printf("%d handled, value %ld, on the other stack %d, %d\n", (int)count, value,
	       inside > stack && inside < stack + sizeof(stack), old.ss_sp == stack);
	show("signals", h);
	return 0;
}
