/* Time never runs backward, however the program is moved between two readings; the time zone is
 * read from a file once, at the first local time, and stays. */
#include "sum.h"

#include <time.h>

static int later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec >= b->tv_nsec);
}

int main(void)
{
	struct timespec last, now, wall_last, wall;
	time_t seconds = time(NULL);
	struct tm *first = localtime(&seconds);
	long zone = first ? first->tm_gmtoff : -1;
	int backward = 0, elsewhere = 0;

	clock_gettime(CLOCK_MONOTONIC, &last);
	clock_gettime(CLOCK_REALTIME, &wall_last);
	for (int i = 0; i < some(40); i++) {
		time_t s = time(NULL);

		clock_gettime(CLOCK_MONOTONIC, &now);
		clock_gettime(CLOCK_REALTIME, &wall);
		backward += !later(&now, &last) + !later(&wall, &wall_last) + (s < seconds);
		last = now;
		wall_last = wall;
		seconds = s;
		elsewhere += localtime(&s)->tm_gmtoff != zone;
	}
	printf("backward %d, elsewhere %d\n", backward, elsewhere);
	printf("plausible %d\n", seconds > 1700000000 && wall.tv_nsec < 1000000000);
	return 0;
}
