/*
 * What the runtime knows of the program's descriptors beyond what the kernel says of them; shared
 * by files.c, which keeps it, files_capture.c and files_load.c.
 */
#ifndef DROVER_RT_FILES_H
#define DROVER_RT_FILES_H

#include "migrator/rt/objects.h"

struct file_entry {
	uint32_t description; /* 0: not open */
	uint32_t mate;        /* PAIR: the description of the other end */
	bool inherited;       /* as it came with the process */
	uint32_t shut;        /* PAIR: DROVER_SOCKET_SHUT_* */
	struct object_origin origin;
};
extern struct file_entry file_table[RT_FDS];

/* Whether a number the table has no place for was opened. */
bool files_beyond(void);

/* "descriptor N WHAT[: PATH]"; false. */
bool files_say(struct text *why, long fd, const char *what, const char *path);

#define PROC_NAME 48
/* The descriptor's link in /proc/self/fd; `out` has PROC_NAME bytes. */
void files_proc_name(char *out, long fd);

#endif
