/* errno: set by the C library, kept across calls and points, put right by the program. */
#include "sum.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static int spin(int n)
{
	int x = n;

	for (int i = 0; i < some(4); i++)
		x = x * 3 % 101;
	return x;
}

static int deep(int n)
{
	if (n == 0)
		return errno;
	return deep(n - 1) == errno ? errno : -1;
}

int main(void)
{
	uint64_t h = SUM_START;

	errno = 0;
	for (int i = 0; i < some(8); i++) {
		switch (i % 4) {
		case 0:
			if (open("/does/not/exist", O_RDONLY) >= 0)
				return 2;
			break;
		case 1:
			h = mix(h, strtoul("99999999999999999999999", NULL, 10));
			break;
		case 2:
			if (close(12345) == 0)
				return 3;
			break;
		default:
			errno = 4711;
		}
		h = mix(h, (uint64_t)spin(i + 1));
		printf("%d %d %d\n", i, errno, deep(3));
	}
	printf("%s\n", strerror(ENOENT));
	show("rest", h);
	return 0;
}
