/*
 * Descriptors of the program. The table says which numbers are the program's, and which share one
 * open file description; what they refer to is asked of the kernel when a capture is made, before
 * anything is taken apart.
 */
#include "migrator/rt/files.h"

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

void files_made(long fd, uint32_t kind, uint64_t made)
{
	if (fd < 0 || fd >= RT_FDS)
		return;
	for (long i = 0; i < RT_FDS; i++)
		if (file_table[i].description == file_table[fd].description)
			file_table[i].origin = (struct object_origin){kind, made};
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
	if (fd < 0 || fd >= RT_FDS)
		return;
	for (long i = 0; i < RT_FDS; i++)
		if (file_table[i].description == file_table[fd].description)
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
