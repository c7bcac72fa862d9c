/* A pair of Unix sockets: both directions hold bytes at every point; one side stops sending. */
#include "sum.h"

#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	int s[2], d[2];
	char buf[32];
	uint64_t h = SUM_START;
	long n;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, d))
		return 2;
	for (int i = 0; i < some(30); i++) {
		int len = snprintf(buf, sizeof(buf), "there %d,", i);

		if (write(s[0], buf, (size_t)len) != len || write(s[1], "back", 4) != 4)
			printf("write failed\n");
		n = read(s[i % 2], buf, i % 2 ? 7 : 3);
		for (int k = 0; k < n; k++)
			h = mix(h, (unsigned char)buf[k]);
		if (send(d[1], buf, 5, 0) != 5 || recv(d[0], buf, sizeof(buf), 0) != 5)
			printf("message lost\n");
	}
	shutdown(s[0], SHUT_WR);
	for (int i = 0; i < some(100); i++) {
		n = read(s[1], buf, 11);
		for (int k = 0; k < n; k++)
			h = mix(h, (unsigned char)buf[k]);
		if (!n)
			break;
	}
	close(s[1]);
	while ((n = read(s[0], buf, 13)) > 0)
		for (int k = 0; k < n; k++)
			h = mix(h, (unsigned char)buf[k]);
	printf("closed: %ld\n", n);
	show("pair", h);
	return 0;
}
