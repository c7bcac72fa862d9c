/* Locks of all three kinds held over moves: of the process, of a description, of a whole file;
 * found by another description of the same file, kept on a file without a name, dropped at a close.
 */
#define _GNU_SOURCE
#include "scratch.h"
#include "sum.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

static uint64_t sum = SUM_START;
static char path[256];

static long lock(int fd, int cmd, int type, int whence, long start, long len)
{
	struct flock l = {
		.l_type = (short)type, .l_whence = (short)whence, .l_start = start, .l_len = len};

	return fcntl(fd, cmd, &l) < 0 ? -errno : 0;
}

/* What another owner finds in the way of a lock for writing. */
static void probe(const char *what, long start, long len)
{
	int fd = open(path, O_RDWR);
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	if (fcntl(fd, F_OFD_GETLK, &l))
		printf("probe failed\n");
	printf("%s: %s %ld+%ld\n", what,
	       l.l_type == F_UNLCK   ? "free"
	       : l.l_type == F_RDLCK ? "shared"
				     : "exclusive",
	       (long)l.l_start, (long)l.l_len);
	printf("flock %s\n", flock(fd, LOCK_EX | LOCK_NB) ? "is taken" : "is free");
	flock(fd, LOCK_UN);
	/* It stays open: to close it would drop the process's locks. */
	sum = mix(sum, (uint64_t)l.l_type);
}

static void work(int n)
{
	for (int i = 0; i < some(n); i++)
		sum = mix(sum, (uint64_t)i);
}

int main(void)
{
	int a, b, gone;
	long r;

	scratch_file(path, sizeof path);
	a = open(path, O_RDWR);
	b = open(path, O_RDWR);
	if (write(a, "0123456789abcdef", 16) != 16)
		return 2;
	r = lock(a, F_SETLK, F_WRLCK, SEEK_SET, 2, 3);
	work(3);
	/* The process's own other descriptor is not in its way. */
	printf("first %ld, again %ld\n", r, lock(b, F_SETLK, F_WRLCK, SEEK_SET, 2, 3));
	work(3);
	probe("held", 0, 16);
	lock(a, F_SETLK, F_RDLCK, SEEK_CUR, -4, 2);
	work(3);
	probe("two", 8, 8);
	lock(a, F_SETLK, F_UNLCK, SEEK_SET, 3, 1);
	work(3);
	probe("hole", 3, 1);
	probe("rest", 2, 1);
	r = flock(b, LOCK_SH);
	work(3);
	probe("with flock", 4, 1);
	close(b);
	work(3);
	probe("one closed", 0, 16);
	r = lock(a, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0);
	work(3);
	probe("of the description", 15, 1);
	lock(a, F_OFD_SETLK, F_UNLCK, SEEK_SET, 0, 0);
	/* A blocking one that need not wait. */
	gone = open(path, O_RDWR);
	unlink(path);
	printf("waits %ld\n", lock(a, F_SETLKW, F_WRLCK, SEEK_END, -4, 4));
	work(3);
	printf("reading only %ld\n", lock(gone, F_SETLK, F_RDLCK, SEEK_SET, 0, 1));
	work(3);
	close(gone);
	close(a);
	printf("closed: %ld\n", lock(a, F_SETLK, F_WRLCK, SEEK_SET, 0, 1));
	show("locks", sum);
	(void)r;
	return 0;
}
