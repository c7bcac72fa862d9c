/*
 * Descriptors of the program. The table says which numbers are the program's, and which share one
 * open file description; what they refer to is asked of the kernel when a capture is made, before
 * anything is taken apart.
 */
#include "migrator/rt/files.h"
#include "migrator/rt/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

struct file_entry file_table[RT_FDS];
static uint32_t last_description;
static bool beyond; /* a number the table has no place for was opened */

void files_opened(long fd)
{
	if (fd >= RT_FDS && !control_hidden(fd))
		beyond = true;
	if (fd < 0 || fd >= RT_FDS)
		return;
	memset(&file_table[fd], 0, sizeof file_table[fd]);
	file_table[fd].description = ++last_description;
}

/* The next number after `at` that has the description of `fd`; RT_FDS: there is none. */
static long next_of(long fd, long at)
{
	if (fd < 0 || fd >= RT_FDS)
		return RT_FDS;
	while (++at < RT_FDS)
		if (file_table[at].description == file_table[fd].description)
			break;
	return at;
}

void files_made(long fd, uint32_t kind, uint64_t made)
{
	for (long i = next_of(fd, -1); i < RT_FDS; i = next_of(fd, i))
		file_table[i].origin = (struct object_origin){.kind = kind, .made = made};
}

void files_accepted(long listener, long fd)
{
	files_opened(fd);
	if (listener < 0 || listener >= RT_FDS || fd < 0 || fd >= RT_FDS)
		return;
	file_table[fd].origin = file_table[listener].origin;
	file_table[fd].origin.connected = true;
}

void files_connected(long fd)
{
	for (long i = next_of(fd, -1); i < RT_FDS; i = next_of(fd, i))
		file_table[i].origin.connected =
			SOCKET_TYPE(file_table[i].origin.made) != SOCK_DGRAM;
}

void files_listens(long fd, long backlog)
{
	for (long i = next_of(fd, -1); i < RT_FDS; i = next_of(fd, i))
		file_table[i].origin.backlog = (uint32_t)backlog;
}

void files_option(long fd, long level, long name)
{
	int at = socket_option_place((int)level, (int)name);

	for (long i = next_of(fd, -1); i < RT_FDS; i = next_of(fd, i)) {
		if (at >= 0)
			file_table[i].origin.options |= 1u << at;
		else if (at == -1)
			file_table[i].origin.foreign =
				(uint32_t)level << 16 | ((uint32_t)name & 0xffff);
	}
}

void files_received(const void *message)
{
	const struct msghdr *m = message;
	const char *at = m->msg_control, *end = at + m->msg_controllen;

	while (end - at >= (long)sizeof(struct cmsghdr)) {
		const struct cmsghdr *c = (const struct cmsghdr *)(const void *)at;
		const int *fds = (const int *)(const void *)CMSG_DATA(c);

		if (c->cmsg_len < sizeof *c || c->cmsg_len > (size_t)(end - at))
			return;
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			for (size_t i = 0; i < (c->cmsg_len - sizeof *c) / sizeof(int); i++)
				files_opened(fds[i]);
		at += CMSG_ALIGN(c->cmsg_len);
	}
}

int files_timer_clock(long fd)
{
	return fd >= 0 && fd < RT_FDS && file_table[fd].origin.kind == DROVER_FILE_TIMER
		       ? (int)file_table[fd].origin.made
		       : CLOCK_REALTIME;
}

void files_paired(long a, long b)
{
	if (a < 0 || a >= RT_FDS || b < 0 || b >= RT_FDS)
		return;
	file_table[a].mate = file_table[b].description;
	file_table[b].mate = file_table[a].description;
}

void files_shut(long fd, long how)
{
	for (long i = next_of(fd, -1); i < RT_FDS; i = next_of(fd, i))
		file_table[i].shut |= (how != SHUT_WR ? DROVER_SOCKET_SHUT_RD : 0u) |
				      (how != SHUT_RD ? DROVER_SOCKET_SHUT_WR : 0u);
}

void files_duplicated(long from, long to)
{
	if (to >= RT_FDS)
		beyond = true;
	if (from < 0 || from >= RT_FDS || to < 0 || to >= RT_FDS)
		return;
	file_table[to] = file_table[from];
	/* A copy of what the supervisor gave is the program's own doing. */
	file_table[to].inherited = false;
}

void files_closed(uint64_t first, uint64_t last)
{
	for (uint64_t fd = first; fd <= last && fd < RT_FDS; fd++)
		file_table[fd].description = 0;
}

/* An exec leaves no close-on-exec descriptor open: one that has the flag is an emulator's. */
void files_begin(void)
{
	for (long fd = 0; fd < RT_FDS; fd++) {
		if (control_hidden(fd) || kernel(SYS_fcntl, fd, F_GETFD) != 0)
			continue;
		files_opened(fd);
		file_table[fd].inherited = true;
	}
}

bool files_beyond(void)
{
	return beyond;
}

bool files_say(struct text *why, long fd, const char *what, const char *path)
{
	text_str(why, "descriptor ");
	text_num(why, (uint64_t)fd);
	text_str(why, what);
	if (path) {
		text_str(why, ": ");
		text_str(why, path);
	}
	return false;
}

void files_proc_name(char *out, long fd)
{
	struct text t = {0};

	text_str(&t, "/proc/self/fd/");
	text_num(&t, (uint64_t)fd);
	memcpy(out, t.b, t.n + 1);
}
