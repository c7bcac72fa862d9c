/* Counts until it has been sent SIGUSR1 and, with the values 1 to 3, SIGRTMIN: a signal that is
 * lost on the way between two processes makes it count for ever. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t plain, queued, order = 1, from_user;

static void on_plain(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	plain = plain + 1;
	from_user = info->si_code == SI_USER;
}

static void on_queued(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	queued = queued + 1;
	order = order && info->si_code == SI_QUEUE && info->si_value.sival_int == queued;
}

int main(void)
{
	struct sigaction a = {.sa_flags = SA_SIGINFO};
	volatile unsigned sink = 0;

	a.sa_sigaction = on_plain;
	sigaction(SIGUSR1, &a, NULL);
	a.sa_sigaction = on_queued;
	sigaction(SIGRTMIN, &a, NULL);
	for (int i = 0; i < 20; i++)
		printf("line %d of what it says first\n", i);
	fflush(stdout);
	while (!plain || queued < 3) {
		for (unsigned k = 0; k < 10000; k++)
			sink += k;
		usleep(1000);
	}
	printf("plain %d %s, queued %d %s\n", plain, from_user ? "from a user" : "from elsewhere",
	       queued, order ? "in order" : "out of order");
	return 0;
}
