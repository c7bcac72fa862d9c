/* Pipes within the process: bytes wait in them at every point, one end closed, a duplicate of an
 * end, reading without blocking. */
#define _GNU_SOURCE
#include "sum.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
	int p[2], q[2];
	char buf[64];
	uint64_t h = SUM_START;
	long n;

	if (pipe(p) || pipe2(q, O_NONBLOCK))
		return 2;
	int again = dup(p[1]);
	for (int i = 0; i < some(40); i++) {
		int len = snprintf(buf, sizeof(buf), "message %d;", i);

		if (write(i % 2 ? again : p[1], buf, (size_t)len) != len)
			printf("write failed at %d\n", i);
		if (i % 3 == 2) {
			n = read(p[0], buf, 21);
			for (int k = 0; k < n; k++)
				h = mix(h, (unsigned char)buf[k]);
			printf("%d: %ld bytes\n", i, n);
		}
		n = read(q[0], buf, sizeof(buf));
		if (n != (i % 4 == 1 ? 2 : -1) || (n < 0 && errno != EAGAIN))
			printf("non-blocking read: %ld\n", n);
		if (i % 4 == 0 && write(q[1], "xy", 2) != 2)
			printf("write failed\n");
	}
	close(p[1]);
	close(again);
	while ((n = read(p[0], buf, 7)) > 0)
		for (int k = 0; k < n; k++)
			h = mix(h, (unsigned char)buf[k]);
	printf("end of file: %ld\n", n);
	close(q[0]);
	for (int i = 0; i < some(3); i++)
		h = mix(h, (unsigned)fcntl(q[1], F_GETFL) & O_NONBLOCK);
	show("pipes", h);
	return 0;
}
