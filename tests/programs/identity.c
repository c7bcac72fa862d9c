/* Who the program is: ids, working directory, mask, clocks that never go back, CPU time that grows.
 */
#define _GNU_SOURCE
#include "sum.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	pid_t pid = getpid();
	char cwd[512], now_cwd[512];
	double cpu = 0;
	struct timespec last[3] = {{0, 0}};
	struct rusage u;
	struct tms t;
	long ticks = 0;
	uint64_t h = SUM_START;

	if (!getcwd(cwd, sizeof(cwd)))
		return 2;
	umask(031);
	srandom(7);
	for (int i = 0; i < some(30); i++) {
		const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME,
					    CLOCK_PROCESS_CPUTIME_ID};

		for (int k = 0; k < 3; k++) {
			struct timespec n;

			clock_gettime(clocks[k], &n);
			if (n.tv_sec < last[k].tv_sec ||
			    (n.tv_sec == last[k].tv_sec && n.tv_nsec < last[k].tv_nsec))
				printf("clock %d went back\n", k);
			last[k] = n;
		}
		getrusage(RUSAGE_SELF, &u);
		double used = (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
		long real = (long)times(&t);

		if (used + 0.02 < cpu || real < ticks)
			printf("time went back: %f after %f\n", used, cpu);
		cpu = used;
		ticks = real;
		if (getpid() != pid || !getcwd(now_cwd, sizeof(now_cwd)) || strcmp(cwd, now_cwd))
			printf("another process or folder at %d\n", i);
		mode_t mask = umask(031);

		h = mix(h, (uint64_t)mask);
		h = mix(h, (uint64_t)random());
	}
	show("identity", h);
	return 0;
}
