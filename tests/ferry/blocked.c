/* One thread that waits in a call, as the first argument says, while it is asked to move; a signal
 * handler ends the wait later. A wait that ends early, or with EINTR, shows in the output. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 1500

static int ends[2] = {-1, -1}, listener = -1, lock_fd = -1, late;
static struct sockaddr_in address = {.sin_family = AF_INET};
static socklen_t address_size = sizeof address;

/* Ends whichever wait is under way. */
static void on_alarm(int signal)
{
	static const struct flock none = {.l_type = F_UNLCK};

	(void)signal;
	if (ends[1] >= 0 && write(ends[1], "x", 1) != 1)
		abort();
	if (listener >= 0) {
		late = socket(AF_INET, SOCK_STREAM, 0);
		connect(late, (struct sockaddr *)&address, sizeof address);
	}
	if (lock_fd >= 0) {
		flock(lock_fd, LOCK_UN);
		fcntl(lock_fd, F_OFD_SETLK, &none);
	}
}

static void in_time(int seconds_from_now)
{
	struct sigaction a = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval t = {.it_value = {seconds_from_now, 500000}};

	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

static void listens(void)
{
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) ||
	    getsockname(listener, (struct sockaddr *)&address, &address_size) ||
	    listen(listener, 1))
		abort();
}

/* Two descriptions of one file; the first has it locked. */
static int locks(int ofd)
{
	char path[] = "blocked-XXXXXX", again[64];
	struct flock all = {.l_type = F_WRLCK};
	int fd;

	lock_fd = mkstemp(path);
	snprintf(again, sizeof again, "/proc/self/fd/%d", lock_fd);
	fd = open(again, O_RDWR);
	if (ofd ? fcntl(lock_fd, F_OFD_SETLK, &all) : flock(lock_fd, LOCK_EX))
		abort();
	return fd;
}

static long wait_in(const char *call)
{
	struct pollfd p = {.fd = -1};
	struct flock all = {.l_type = F_WRLCK};
	/* Memory that is not there before the call is made. */
	char *far = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timespec pause = {WAIT_MS / 1000, WAIT_MS % 1000 * 1000000l};
	struct epoll_event e;
	int status, fd;

	if (!strcmp(call, "poll"))
		return poll(&p, 1, WAIT_MS);
	if (!strcmp(call, "epoll"))
		return epoll_wait(epoll_create1(0), &e, 1, WAIT_MS);
	if (!strcmp(call, "sleep"))
		return nanosleep(&pause, NULL);
	if (!strcmp(call, "wait")) {
		pid_t child = fork();

		if (!child) {
			nanosleep(&pause, NULL);
			_exit(7);
		}
		return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -1;
	}
	if (!strcmp(call, "accept"))
		listens();
	else if (!strcmp(call, "recv") && socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		abort();
	else if (!strcmp(call, "read") && pipe(ends))
		abort();
	fd = !strcmp(call, "flock") || !strcmp(call, "fcntl") ? locks(call[1] == 'c') : -1;
	in_time(1);
	if (listener >= 0)
		return accept(listener, NULL, NULL) >= 0 ? 1 : -1;
	if (fd >= 0)
		return call[1] == 'c' ? fcntl(fd, F_SETLKW, &all) : flock(fd, LOCK_EX);
	return !strcmp(call, "recv") ? recv(ends[0], far + 500000, 100, 0)
				     : read(ends[0], far + 500000, 100);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	const char *call = argc > 1 ? argv[1] : "poll";
	volatile unsigned sink = 0;
	long began, r;

	for (int i = 0; i < 8; i++)
		printf("about to wait in %s: line %d\n", call, i);
	fflush(stdout);
	began = now_ms();
	errno = 0;
	r = wait_in(call);
	printf("%s: %ld, %s, %s\n", call, r, r < 0 ? strerror(errno) : "no error",
	       now_ms() - began < WAIT_MS - 1 ? "too early" : "in time");
	/* A move that had to wait for the end of the call is made now. */
	for (began = now_ms(); now_ms() - began < 700; usleep(1000))
		sink += 1;
	return 0;
}
