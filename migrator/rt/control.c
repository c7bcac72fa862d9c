/* The supervisor's side of a process: docs/formats/control.md. */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

struct rt rt = {.ctl = -1, .image_out = -1, .image_in = -1};

uint64_t rt_now(void)
{
	int64_t ts[2] = {0, 0};

	kernel(SYS_clock_gettime, CLOCK_MONOTONIC, ts);
	return (uint64_t)ts[0] * 1000000000u + (uint64_t)ts[1];
}

void rt_fault(const char *name)
{
	if (rt.fault[0] && !strcmp(rt.fault, name))
		kernel(SYS_kill, kernel(SYS_getpid, 0), SIGKILL);
}

/* A decimal number up to a terminator; false if it is none. */
static bool number(const char **s, char end, uint64_t *out)
{
	uint64_t v = 0;
	const char *p = *s;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	if (p == *s || (*p != end && *p != '\0'))
		return false;
	*s = p;
	*out = v;
	return true;
}

long control_high_number(void)
{
	uint64_t limit[2] = {RT_FDS, RT_FDS};

	kernel(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, limit);
	if (limit[0] >= RT_FDS + 64)
		return RT_FDS + 32;
	return limit[0] > 24 ? (long)limit[0] - 8 : 16;
}

static int take_descriptor(const char *name, const char *value)
{
	uint64_t fd = 0;
	long moved = -EBADF;
	struct text t = {0};

	if (number(&value, '\0', &fd) && fd < INT32_MAX)
		moved = kernel(SYS_fcntl, fd, F_DUPFD_CLOEXEC, control_high_number());
	if (moved < 0) {
		text_str(&t, name);
		text_str(&t, " in the environment is not the number of an open descriptor");
		rt_die(&t, -EBADF);
	}
	kernel(SYS_close, fd);
	return (int)moved;
}

/* "K" or "K:N". */
static void take_plan(const char *value)
{
	struct text t = {0};

	rt.planned = number(&value, ':', &rt.plan_next) && rt.plan_next;
	if (rt.planned && *value == ':') {
		value++;
		rt.planned = number(&value, '\0', &rt.plan_every);
	}
	if (rt.planned && !*value)
		return;
	text_str(&t, DROVER_ENV_PLAN " is not K or K:N with K at least 1");
	rt_die(&t, -EINVAL);
}

static void take(const char *name, const char *value)
{
	if (!strcmp(name, DROVER_ENV_CTL))
		rt.ctl = take_descriptor(name, value);
	else if (!strcmp(name, DROVER_ENV_IMAGE_OUT))
		rt.image_out = take_descriptor(name, value);
	else if (!strcmp(name, DROVER_ENV_IMAGE_IN))
		rt.image_in = take_descriptor(name, value);
	else if (!strcmp(name, DROVER_ENV_PLAN))
		take_plan(value);
	else if (!strcmp(name, DROVER_ENV_HERE))
		rt.here = !strcmp(value, "1");
	else if (!strcmp(name, DROVER_ENV_IN_PLACE))
		rt.in_place = !strcmp(value, "1");
	else if (!strcmp(name, "DROVER_FAULT") && strlen(value) < sizeof rt.fault)
		strcpy(rt.fault, value);
}

static const char *const taken[] = {DROVER_ENV_CTL,      DROVER_ENV_IMAGE_OUT, DROVER_ENV_IMAGE_IN,
				    DROVER_ENV_IN_PLACE, DROVER_ENV_PLAN,      DROVER_ENV_HERE,
				    "DROVER_FAULT"};

void control_take(char **envp)
{
	char **to = envp;

	for (char **from = envp; *from; from++) {
		const char *name = NULL;

		for (size_t i = 0; i < sizeof taken / sizeof *taken && !name; i++) {
			size_t n = strlen(taken[i]);

			if (!strncmp(*from, taken[i], n) && (*from)[n] == '=') {
				name = taken[i];
				take(name, *from + n + 1);
			}
		}
		if (!name)
			*to++ = *from;
	}
	*to = NULL;
	if (rt.ctl < 0)
		rt.planned = false;
}

bool control_hidden(long fd)
{
	return fd >= 0 && (fd == rt.ctl || fd == rt.image_out || fd == rt.image_in);
}

void control_send(uint32_t type, int32_t status, const uint64_t *a, unsigned n,
		  const struct text *t)
{
	struct drover_control m = {
		.magic = DROVER_CONTROL_MAGIC,
		.type = type,
		.version = DROVER_CONTROL_VERSION,
		.status = status,
	};

	if (rt.ctl < 0)
		return;
	for (unsigned i = 0; i < n; i++)
		m.a[i] = a[i];
	if (t)
		memcpy(m.text, t->b, sizeof m.text);
	while (kernel(SYS_sendto, rt.ctl, &m, sizeof m, MSG_NOSIGNAL, 0, 0) == -EINTR)
		;
}

/* One record. 1 good, 0 none (or, when waiting, the other side is gone). */
static int receive(struct drover_control *m, int flags)
{
	for (;;) {
		long r = kernel(SYS_recvfrom, rt.ctl, m, sizeof *m, flags, 0, 0);

		if (r == -EINTR)
			continue;
		if (r <= 0)
			return 0;
		if (r == sizeof *m && m->magic == DROVER_CONTROL_MAGIC &&
		    m->version == DROVER_CONTROL_VERSION)
			return 1;
	}
}

/* A signal that came to the old process when it stood still already. */
static void pass_signal(const struct drover_control *m)
{
	struct drover_image_process p = {.npending = 1};

	if (!m->a[0] || m->a[0] >= DROVER_IMAGE_SIGNALS)
		return;
	p.pending[0] = (struct drover_image_pending){
		.signo = (uint32_t)m->a[0],
		.code = (int32_t)m->a[1],
		.pid = (uint32_t)m->a[2],
		.uid = (uint32_t)(m->a[2] >> 32),
		.value = m->a[3],
	};
	timers_send(&p);
}

void control_drain(void)
{
	struct drover_control m;

	while (rt.ctl >= 0 && receive(&m, MSG_DONTWAIT)) {
		if (m.type == DROVER_MSG_SIGNAL)
			pass_signal(&m);
		if (m.type != DROVER_MSG_MIGRATE)
			continue;
		rt.wanted = true;
		rt.here = m.a[0] & DROVER_MIGRATE_HERE;
	}
}

uint32_t control_wait(uint32_t one, uint32_t other)
{
	struct drover_control m;

	while (receive(&m, 0)) {
		if (m.type == DROVER_MSG_SIGNAL)
			pass_signal(&m);
		if (m.type == one || m.type == other)
			return m.type;
	}
	return 0;
}

/* ---- descriptors beside records ------------------------------------------- */

/* One record with at most DROVER_CONTROL_FDS_MAX descriptors beside it. */
struct carrier {
	struct drover_control m;
	struct iovec v;
	struct msghdr h;
	char beside[CMSG_SPACE(DROVER_CONTROL_FDS_MAX * sizeof(int))]
		__attribute__((__aligned__(8)));
};
static struct carrier carrier;

static struct cmsghdr *carrier_begin(struct carrier *c)
{
	memset(c, 0, sizeof *c);
	c->v = (struct iovec){&c->m, sizeof c->m};
	c->h.msg_iov = &c->v;
	c->h.msg_iovlen = 1;
	c->h.msg_control = c->beside;
	c->h.msg_controllen = sizeof c->beside;
	return (struct cmsghdr *)c->beside;
}

long control_give(const int *fds, uint32_t n)
{
	for (uint32_t at = 0; at < n;) {
		struct cmsghdr *beside = carrier_begin(&carrier);
		uint32_t now = n - at < DROVER_CONTROL_FDS_MAX ? n - at : DROVER_CONTROL_FDS_MAX;
		long r;

		carrier.m.magic = DROVER_CONTROL_MAGIC;
		carrier.m.type = DROVER_MSG_GIVES;
		carrier.m.version = DROVER_CONTROL_VERSION;
		carrier.m.a[0] = now;
		beside->cmsg_level = SOL_SOCKET;
		beside->cmsg_type = SCM_RIGHTS;
		beside->cmsg_len = CMSG_LEN(now * sizeof(int));
		memcpy(CMSG_DATA(beside), fds + at, now * sizeof(int));
		carrier.h.msg_controllen = (socklen_t)CMSG_SPACE(now * sizeof(int));
		r = kernel(SYS_sendmsg, rt.ctl, &carrier.h, MSG_NOSIGNAL);
		if (r == -EINTR)
			continue;
		if (r < 0)
			return r;
		at += now;
	}
	return 0;
}

/* One record's descriptors; their number, or a negative errno. */
static long take_some(int *fds, uint32_t room)
{
	const struct cmsghdr *beside = carrier_begin(&carrier);
	uint64_t n;
	long r;

	do
		r = kernel(SYS_recvmsg, rt.ctl, &carrier.h, MSG_CMSG_CLOEXEC);
	while (r == -EINTR);
	if (r <= 0)
		return r ? r : -EPIPE;
	if (r != sizeof carrier.m || carrier.m.magic != DROVER_CONTROL_MAGIC ||
	    carrier.m.type != DROVER_MSG_TAKE || carrier.h.msg_flags & MSG_CTRUNC ||
	    carrier.h.msg_controllen < sizeof *beside || beside->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	n = (beside->cmsg_len - sizeof *beside) / sizeof(int);
	if (!n || n > room || n != carrier.m.a[0])
		return -EPROTO;
	memcpy(fds, CMSG_DATA(beside), n * sizeof(int));
	return (long)n;
}

long control_take_given(int *fds, uint32_t n, long above)
{
	for (uint32_t have = 0; have < n;) {
		long r = take_some(fds + have, n - have);

		if (r < 0)
			return r;
		for (; r; r--, have++) {
			long moved = kernel(SYS_fcntl, fds[have], F_DUPFD_CLOEXEC, above);

			if (moved < 0)
				return moved;
			kernel(SYS_close, fds[have]);
			fds[have] = (int)moved;
		}
	}
	return 0;
}
