/* Opens a descriptor of the kind that is named, goes on past some migration points, and finds it as
 * it was. For tests/hop/descriptors. Status 77: this machine has no such thing. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64] = "kind-XXXXXX";

static int scratch(void)
{
	return mkstemp(path);
}

static int packet_pipe(void)
{
	int p[2];

	return pipe2(p, O_DIRECT) ? -1 : p[0];
}

static int raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int udp_message(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	return bind(s, (struct sockaddr *)&a, len) || getsockname(s, (struct sockaddr *)&a, &len) ||
			       sendto(s, "waits", 5, 0, (struct sockaddr *)&a, len) != 5
		       ? -1
		       : s;
}

/* Connected to a listener, with or without the connection being accepted and closed there. */
static int tcp(int accepts)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int l = socket(AF_INET, SOCK_STREAM, 0), s = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(l, (struct sockaddr *)&a, len) || getsockname(l, (struct sockaddr *)&a, &len) ||
	    listen(l, 1) || connect(s, (struct sockaddr *)&a, len))
		return -1;
	if (accepts)
		close(accept(l, NULL, NULL));
	return s;
}

static int tcp_pending(void)
{
	return tcp(0);
}

static int tcp_half(void)
{
	return tcp(1);
}

static int option(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), on = 1;

	return setsockopt(s, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on) ? -1 : s;
}

static int unix_name(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	close(scratch());
	unlink(path);
	strcpy(a.sun_path, path);
	return bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 1) ? -1 : s;
}

static int async(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	signal(SIGIO, SIG_IGN);
	return fcntl(s, F_SETOWN, getpid()) || fcntl(s, F_SETFL, O_ASYNC) ? -1 : s;
}

static int terminal(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

static int device(void)
{
	return open("/dev/net/tun", O_RDWR);
}

static int inotify(void)
{
	return inotify_init1(0);
}

static int fanotify(void)
{
	return fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
}

static int perf(void)
{
	/* struct perf_event_attr: the software clock. */
	uint32_t a[28] = {1, sizeof a};

	return (int)syscall(SYS_perf_event_open, a, 0, -1, -1, 0);
}

static int faults(void)
{
	return (int)syscall(SYS_userfaultfd, O_CLOEXEC);
}

static int bpf(void)
{
	/* BPF_MAP_CREATE of an array: type, key, value, entries. */
	uint32_t a[16] = {2, 4, 4, 1};

	return (int)syscall(SYS_bpf, 0, a, sizeof a);
}

static int process(void)
{
	return (int)syscall(SYS_pidfd_open, getpid(), 0);
}

static int queue(void)
{
	struct mq_attr a = {.mq_maxmsg = 2, .mq_msgsize = 8};
	int q = mq_open("/drover-test-kinds", O_RDWR | O_CREAT, 0600, &a);

	mq_unlink("/drover-test-kinds");
	return q;
}

static int lease(void)
{
	int fd = scratch();

	return fcntl(fd, F_SETLEASE, F_WRLCK) ? -1 : fd;
}

static int other_link(void)
{
	char second[80];
	int fd = scratch();

	snprintf(second, sizeof second, "%s-2", path);
	return link(path, second) || unlink(path) ? -1 : fd;
}

static int ghost(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int ep = epoll_create1(0), p[2], copy;

	if (pipe(p) || (copy = dup(p[0])) < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, copy, &e))
		return -1;
	close(copy);
	return ep;
}

static int high(void)
{
	return fcntl(0, F_DUPFD, 1500);
}

static int shared(void)
{
	int fd = scratch();

	if (ftruncate(fd, 4096) || mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
		return -1;
	return fd;
}

static int child(void)
{
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sleep(20);
		_exit(0);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*open)(void);
} kinds[] = {
	{"packet-pipe", packet_pipe},
	{"raw", raw},
	{"netlink", netlink},
	{"udp-message", udp_message},
	{"tcp-pending", tcp_pending},
	{"tcp-half", tcp_half},
	{"option", option},
	{"unix-name", unix_name},
	{"async", async},
	{"terminal", terminal},
	{"device", device},
	{"inotify", inotify},
	{"fanotify", fanotify},
	{"perf", perf},
	{"userfaultfd", faults},
	{"bpf", bpf},
	{"pidfd", process},
	{"mqueue", queue},
	{"lease", lease},
	{"other-link", other_link},
	{"ghost", ghost},
	{"high", high},
	{"shared", shared},
	{"child", child},
};

int main(int argc, char **argv)
{
	volatile unsigned sink = 0;

	for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++) {
		int fd, flags;

		if (strcmp(kinds[i].name, argv[1]) != 0)
			continue;
		fd = kinds[i].open();
		if (fd < 0)
			return 77;
		flags = fcntl(fd, F_GETFL);
		for (volatile int k = 0; k < 200; k++)
			sink += (unsigned)k;
		printf("%s\n", fcntl(fd, F_GETFL) == flags ? "unharmed" : "another descriptor");
		fflush(stdout);
		return 0;
	}
	return 2;
}
