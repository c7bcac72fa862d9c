#include "migrator/process/process.h"
#include "migrator/process/environment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include "common/clock.h"
#include "common/file.h"

struct process {
	pid_t pid;
	int ctl;
	int image;
	int pidfd;
	enum isa isa;
	enum process_phase phase;
	bool loads; /* started with an image */
	bool new_group;
	bool reaped;
	struct descriptors given;
	bool broken; /* broke the protocol; nothing more is read from it */
	int wait_status;
	uint64_t cpu_ns; /* after the end */
};

/* What the old process has given waits in the socket until the new one takes it. */
static int hand_over(struct process *p, const struct descriptors *d)
{
	int r = 0;

	for (unsigned int at = 0, n; at < d->n && !r; at += n) {
		struct drover_control m = {.magic = DROVER_CONTROL_MAGIC,
					   .type = DROVER_MSG_TAKE,
					   .version = DROVER_CONTROL_VERSION};

		n = d->n - at < DROVER_CONTROL_FDS_MAX ? d->n - at : DROVER_CONTROL_FDS_MAX;
		m.a[0] = n;
		r = descriptors_send(p->ctl, &m, sizeof(m), d->fds + at, n, MSG_DONTWAIT);
	}
	return r;
}

static int open_image(struct process *p, const struct process_spec *s, struct err *e)
{
	if (s->before) {
		p->image = fcntl(s->before->image, F_DUPFD_CLOEXEC, 0);
		return p->image < 0 ? err_sys(e, -errno, "cannot use the state image again") : 0;
	}
	p->image = file_unnamed(s->image_dir, "image");
	if (p->image < 0)
		return err_sys(e, p->image, "cannot make a file for the state image in %s",
			       s->image_dir ? s->image_dir : "memory");
	return 0;
}

static int start_child(struct process *p, const struct process_spec *s, struct err *e)
{
	struct satellite_spec ss = {
		.isa = s->isa,
		.exe_fd = s->exe_fd,
		.argv = s->argv,
		.cwd = s->cwd,
		.stdio = {s->stdio[0], s->stdio[1], s->stdio[2]},
		.new_group = s->new_group,
		.memory_bytes = s->memory_bytes,
		.cpu_seconds = s->cpu_seconds,
	};
	_cleanup_close_ int theirs = -1;
	_cleanup_free_ const char **envp = NULL;
	struct environment env = {0};
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, -errno, "cannot make a control socket");
	p->ctl = pair[0];
	theirs = pair[1];
	r = open_image(p, s, e);
	if (r < 0)
		return r;
	r = environment_make(s, theirs, p->image, &env);
	envp = env.envp;
	if (r < 0)
		return err_sys(e, r, "cannot prepare the environment of %s", s->argv[0]);
	ss.envp = env.envp;
	ss.keep[ss.nkeep++] = theirs;
	ss.keep[ss.nkeep++] = p->image;
	if (s->image_in >= 0)
		ss.keep[ss.nkeep++] = s->image_in;
	r = s->satellite->start(&ss, &p->pid, e);
	if (r < 0) {
		p->pid = 0;
		return r;
	}
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd < 0)
		return err_sys(e, -errno, "cannot watch process %d", (int)p->pid);
	r = s->given ? hand_over(p, s->given) : 0;
	return r ? err_sys(e, r, "cannot hand descriptors over to process %d", (int)p->pid) : 0;
}

int process_start(const struct process_spec *s, struct process **out, struct err *e)
{
	struct process *p = calloc(1, sizeof(*p));
	int r;

	*out = NULL;
	if (!p)
		return err_sys(e, -ENOMEM, "cannot start %s", s->argv[0]);
	p->ctl = p->image = p->pidfd = -1;
	p->isa = s->isa;
	p->loads = s->image_in >= 0;
	p->new_group = s->new_group;
	p->phase = PROCESS_STARTED;
	r = start_child(p, s, e);
	if (r < 0) {
		process_free(p);
		return r;
	}
	*out = p;
	return 0;
}

/* wait4 reports all CPU time, descendants that were waited for included. */
static bool reap(struct process *p, int options)
{
	struct rusage ru;
	pid_t r;

	if (p->reaped)
		return true;
	do
		r = wait4(p->pid, &p->wait_status, options, &ru);
	while (r < 0 && errno == EINTR);
	if (r != p->pid)
		return false;
	p->reaped = true;
	p->cpu_ns = ((uint64_t)ru.ru_utime.tv_sec + (uint64_t)ru.ru_stime.tv_sec) * NS_PER_S +
		    ((uint64_t)ru.ru_utime.tv_usec + (uint64_t)ru.ru_stime.tv_usec) * NS_PER_US;
	return true;
}

void process_free(struct process *p)
{
	if (!p)
		return;
	if (p->pid > 0 && !p->reaped) {
		(void)process_signal(p, SIGKILL);
		(void)reap(p, 0);
	}
	if (p->ctl >= 0)
		close(p->ctl);
	if (p->image >= 0)
		close(p->image);
	if (p->pidfd >= 0)
		close(p->pidfd);
	descriptors_drop(&p->given);
	free(p);
}

int process_fd(const struct process *p)
{
	return p->ctl;
}

int process_exit_fd(const struct process *p)
{
	return p->pidfd;
}

int process_image_fd(const struct process *p)
{
	return p->image;
}

pid_t process_pid(const struct process *p)
{
	return p->pid;
}

enum isa process_isa(const struct process *p)
{
	return p->isa;
}

enum process_phase process_phase(const struct process *p)
{
	return p->phase;
}

static void protocol_event(struct process *p, struct process_event *ev, const char *text)
{
	p->broken = true;
	ev->type = PROCESS_PROTOCOL;
	(void)snprintf(ev->text, sizeof(ev->text), "%.160s", text);
}

/* What a checked message in turn means for the phase. */
static void advance(struct process *p, uint32_t type)
{
	switch (type) {
	case DROVER_MSG_HELLO:
		p->phase = p->loads ? PROCESS_LOADING : PROCESS_RUNNING;
		break;
	case DROVER_MSG_LOADED:
		p->phase = PROCESS_READY;
		break;
	case DROVER_MSG_CAPTURED:
		p->phase = PROCESS_FROZEN;
		break;
	case DROVER_MSG_REFUSED:
		descriptors_drop(&p->given);
		break;
	default:
		break;
	}
}

/* Checks one record; with a text what is wrong with it. */
static int check_message(struct process *p, const char *raw, ssize_t n, struct drover_control *m,
			 struct err *why)
{
	if (n < 0)
		return err_set(why, -EPROTO, "more descriptors are handed over than can be kept");
	if (control_check(raw, (size_t)n, m, why) < 0)
		return why->code;
	if (!control_in_turn(p->phase, m->type))
		return err_set(why, -EPROTO, "control message of type %u out of turn", m->type);
	if (m->type == DROVER_MSG_CAPTURED && m->a[7] != p->given.n)
		return err_set(why, -EPROTO,
			       "%u descriptors were handed over where it says %" PRIu64, p->given.n,
			       m->a[7]);
	return 0;
}

/* 1: an event was read. 0: nothing there. */
static int read_message(struct process *p, struct process_event *ev)
{
	char raw[sizeof(struct drover_control) + 1];
	struct drover_control m;
	struct err why;
	ssize_t n;

	do {
		if (p->broken)
			return 0;
		n = descriptors_recv(p->ctl, raw, sizeof(raw), &p->given, MSG_DONTWAIT);
		if (n <= 0 && n != -EMFILE)
			return 0;
		if (check_message(p, raw, n, &m, &why) < 0) {
			protocol_event(p, ev, why.msg);
			return 1;
		}
	} while (m.type == DROVER_MSG_GIVES);
	advance(p, m.type);
	ev->type = (enum process_event_type)(m.type - DROVER_MSG_HELLO);
	memcpy(ev->a, m.a, sizeof(ev->a));
	memcpy(ev->text, m.text, sizeof(ev->text));
	return 1;
}

_Static_assert(PROCESS_HELLO == DROVER_MSG_HELLO - DROVER_MSG_HELLO &&
		       PROCESS_LATE == DROVER_MSG_LATE - DROVER_MSG_HELLO,
	       "events follow the messages' order");

int process_next(struct process *p, int timeout_ms, struct process_event *ev, struct err *e)
{
	uint64_t deadline =
		timeout_ms < 0 ? 0 : clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS + 1;
	bool eof = false;

	for (;;) {
		/* Reaped first, read after: whatever it sent is in the socket once it is gone. */
		bool gone = reap(p, WNOHANG);
		struct pollfd fds[2] = {
			{.fd = eof || p->broken ? -1 : p->ctl, .events = POLLIN},
			{.fd = p->pidfd, .events = POLLIN},
		};
		int r;

		memset(ev, 0, sizeof(*ev));
		if (read_message(p, ev))
			return 1;
		if (gone) {
			p->phase = PROCESS_ENDING;
			ev->type = PROCESS_EXITED;
			ev->wait_status = p->wait_status;
			return 1;
		}
		r = poll(fds, 2, clock_poll_timeout(deadline));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? err_sys(e, -errno, "cannot wait for process %d", (int)p->pid)
				     : 0;
		/* The other end closed: only the end of the process is left to wait for. */
		if ((fds[0].revents & (POLLHUP | POLLERR)) && !(fds[0].revents & POLLIN))
			eof = true;
	}
}

static int tell(struct process *p, uint32_t type, const uint64_t *a, size_t count, struct err *e)
{
	struct drover_control m = {
		.magic = DROVER_CONTROL_MAGIC, .type = type, .version = DROVER_CONTROL_VERSION};
	ssize_t n;

	memcpy(m.a, a, count * sizeof(*a));
	do
		n = send(p->ctl, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, -errno, "cannot command process %d", (int)p->pid);
	return 0;
}

static int tell_in(struct process *p, enum process_phase phase, uint32_t type, uint64_t a0,
		   enum process_phase next, struct err *e)
{
	int r;

	if (p->phase != phase)
		return err_set(e, -EINVAL,
			       "process %d is in phase %d: control message %u does not "
			       "apply",
			       (int)p->pid, (int)p->phase, type);
	r = tell(p, type, &a0, 1, e);
	if (r == 0)
		p->phase = next;
	return r;
}

/*
 * Makes the process look at its control channel. A signal of the process is the first thread's,
 * which may be waiting for a processor while others have them; a signal of every thread comes at
 * once to those that run. 0 or a negative errno.
 */
static int call(const struct process *p)
{
	char path[64];
	const struct dirent *d;
	DIR *tasks;

	if (kill(p->pid, DROVER_CONTROL_SIGNAL) < 0)
		return -errno;
	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)p->pid);
	tasks = opendir(path);
	while (tasks && (d = readdir(tasks))) {
		long tid = strtol(d->d_name, NULL, 10);

		if (tid > 0 && tid != p->pid)
			(void)syscall(SYS_tgkill, p->pid, tid, DROVER_CONTROL_SIGNAL);
	}
	if (tasks)
		(void)closedir(tasks);
	return 0;
}

int process_request_capture(struct process *p, bool here, struct err *e)
{
	int r = tell_in(p, PROCESS_RUNNING, DROVER_MSG_MIGRATE, here ? DROVER_MIGRATE_HERE : 0,
			PROCESS_RUNNING, e);

	if (r < 0 || p->reaped)
		return r;
	r = call(p);
	return r < 0 ? err_sys(e, r, "cannot signal process %d", (int)p->pid) : 0;
}

const struct descriptors *process_given(const struct process *p)
{
	return &p->given;
}

int process_commit(struct process *p, struct err *e)
{
	descriptors_drop(&p->given);
	return tell_in(p, PROCESS_FROZEN, DROVER_MSG_COMMIT, 0, PROCESS_ENDING, e);
}

int process_abort(struct process *p, struct err *e)
{
	descriptors_drop(&p->given);
	return tell_in(p, PROCESS_FROZEN, DROVER_MSG_ABORT, 0, PROCESS_RUNNING, e);
}

int process_go(struct process *p, struct err *e)
{
	return tell_in(p, PROCESS_READY, DROVER_MSG_GO, 0, PROCESS_RUNNING, e);
}

int process_pass_signal(struct process *p, const uint64_t a[4], struct err *e)
{
	int r;

	if (p->phase != PROCESS_READY && p->phase != PROCESS_RUNNING)
		return err_set(e, -EINVAL, "process %d cannot be given a signal now", (int)p->pid);
	r = tell(p, DROVER_MSG_SIGNAL, a, 4, e);
	if (!r)
		process_remind(p);
	return r;
}

void process_remind(struct process *p)
{
	if (p->phase == PROCESS_RUNNING && !p->reaped)
		(void)call(p);
}

int process_signal(struct process *p, int sig)
{
	if (p->reaped)
		return -ESRCH;
	return kill(p->new_group ? -p->pid : p->pid, sig) < 0 ? -errno : 0;
}

/* Fields 14 to 17 of /proc/PID/stat (proc(5)), in clock ticks: our fallback for children's time. */
static uint64_t children_cpu_ns(pid_t pid)
{
	char path[48], text[1024];
	_cleanup_fclose_ FILE *f = NULL;
	unsigned long long cu, cs;
	const char *p;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	/* The program's name is in parentheses and may hold anything: go on behind the last one. */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %llu %llu",
			 &cu, &cs) != 2)
		return 0;
	return (cu + cs) * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t process_cpu_ns(const struct process *p)
{
	struct timespec ts;
	clockid_t id;

	if (p->reaped)
		return p->cpu_ns;
	if (clock_getcpuclockid(p->pid, &id) != 0 || clock_gettime(id, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec + children_cpu_ns(p->pid);
}
