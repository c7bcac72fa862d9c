/* sigsetjmp and siglongjmp: the mask comes back with the jump or stays, and a handler may jump out
 * into a frame that has moved. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static sigjmp_buf out;
static volatile sig_atomic_t caught;

static void handler(int signal)
{
	caught = caught + signal;
	siglongjmp(out, signal);
}

static int blocked(int signal)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, signal);
}

static int work(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++) {
		sum += i ^ n;
		if (i == n - 1 && n > 2)
			raise(n % 2 ? SIGUSR1 : SIGUSR2);
	}
	return sum;
}

static int guarded(int n, int save)
{
	volatile int before = blocked(SIGUSR1);
	int r = sigsetjmp(out, save);

	if (r)
		return r * 10 + blocked(SIGUSR1) * 2 + before;
	return work(n) * 10;
}

int main(void)
{
	struct sigaction a = {.sa_handler = handler};

	sigemptyset(&a.sa_mask);
	sigaction(SIGUSR1, &a, NULL);
	sigaction(SIGUSR2, &a, NULL);
	for (int n = 0; n < 8; n++) {
		sigset_t set;

		printf("%d: %d", n, guarded(n, n % 3));
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigaddset(&set, SIGUSR2);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		printf(", caught %d\n", (int)caught);
	}
	return 0;
}
