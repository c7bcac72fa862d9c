/* For the test programs that need a file: a new one in $TMPDIR or /tmp. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Makes an empty file; path receives its name. Ends the program when that cannot be done. */
static inline void scratch_file(char *path, size_t size)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	snprintf(path, size, "%s/drover-program-XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkstemp(path);
	if (fd < 0) {
		perror(path);
		exit(99);
	}
	close(fd);
}

#endif
