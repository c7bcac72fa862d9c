/* See locks.h. */
#include "migrator/rt/locks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "migrator/rt/files.h"

#define FILES 64 /* further files are locked by the process, and wait */

static struct {
	uint64_t dev, ino;
	int fd; /* -1: free */
} holders[FILES];
static uint32_t holders_end;

static long find(const struct stat *st)
{
	for (uint32_t i = 0; i < holders_end; i++)
		if (holders[i].fd >= 0 && holders[i].dev == st->st_dev &&
		    holders[i].ino == st->st_ino)
			return i;
	return -1;
}

bool locks_hidden(long fd)
{
	for (uint32_t i = 0; i < holders_end; i++)
		if (fd >= 0 && holders[i].fd == fd)
			return true;
	return false;
}

/* Enters a descriptor, which is moved away from the program's; the place, or a negative errno. */
static long enter(const struct stat *st, long fd)
{
	uint32_t i = 0;
	long moved;

	while (i < holders_end && holders[i].fd >= 0)
		i++;
	moved = i < FILES ? kernel(SYS_fcntl, fd, F_DUPFD_CLOEXEC, control_high_number()) : -EMFILE;
	kernel(SYS_close, fd);
	if (moved < 0)
		return moved;
	holders[i].dev = st->st_dev;
	holders[i].ino = st->st_ino;
	holders[i].fd = (int)moved;
	holders_end = i == holders_end ? i + 1 : holders_end;
	return i;
}

/* A description of its own of the program's file: for reading and writing if that is allowed. */
static long hold(long fd, const struct stat *st)
{
	char link[PROC_NAME];
	long own;

	files_proc_name(link, fd);
	own = kernel(SYS_openat, AT_FDCWD, link, O_RDWR | O_CLOEXEC, 0);
	if (own < 0)
		own = kernel(SYS_openat, AT_FDCWD, link,
			     (kernel(SYS_fcntl, fd, F_GETFL) & O_ACCMODE) | O_CLOEXEC, 0);
	return own < 0 ? own : enter(st, own);
}

/* The descriptor to make the call with, for which *lock is changed; -1: the program's own. */
static long holder_for(long fd, long cmd, struct flock *lock, const struct stat *st)
{
	long i = find(st), at;

	if (i < 0 && cmd != F_GETLK && lock->l_type != F_UNLCK)
		i = hold(fd, st);
	if (i < 0)
		return -1;
	lock->l_pid = 0;
	if (lock->l_whence == SEEK_CUR) {
		at = kernel(SYS_lseek, fd, 0, SEEK_CUR);
		lock->l_start += at > 0 ? at : 0;
		lock->l_whence = SEEK_SET;
	}
	return holders[i].fd;
}

/* What the kernel would refuse for the program's descriptor. */
static bool allowed(long fd, long cmd, const struct flock *lock)
{
	long flags = kernel(SYS_fcntl, fd, F_GETFL), mode = flags & O_ACCMODE;

	if (flags < 0 || flags & O_PATH)
		return false;
	return cmd == F_GETLK || lock->l_type == F_UNLCK || mode == O_RDWR ||
	       mode == (lock->l_type == F_WRLCK ? O_WRONLY : O_RDONLY);
}

long locks_fcntl(long fd, long cmd, long arg,
		 long (*call)(long n, long a, long b, long c, long d, long e, long f))
{
	struct flock *lock = (struct flock *)arg, own;
	struct stat st;
	uint64_t mask;
	long holder, r;

	if (rt.ctl < 0 || !lock || kernel(SYS_fstat, fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !allowed(fd, cmd, lock))
		return call(SYS_fcntl, fd, cmd, arg, 0, 0, 0);
	own = *lock;
	signals_block_all(&mask);
	stop_lock();
	holder = holder_for(fd, cmd, &own, &st);
	stop_unlock();
	signals_set_mask(mask);
	if (holder < 0)
		return call(SYS_fcntl, fd, cmd, arg, 0, 0, 0);
	cmd = cmd == F_GETLK ? F_OFD_GETLK : cmd == F_SETLK ? F_OFD_SETLK : F_OFD_SETLKW;
	r = call(SYS_fcntl, holder, cmd, (long)&own, 0, 0, 0);
	if (r || cmd != F_OFD_GETLK)
		return r;
	if (own.l_type == F_UNLCK)
		lock->l_type = F_UNLCK;
	else
		*lock = own;
	return 0;
}

static void let_go(uint32_t i)
{
	struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	/* A child may still have the description. */
	kernel(SYS_fcntl, holders[i].fd, F_OFD_SETLK, &all);
	kernel(SYS_close, holders[i].fd);
	holders[i].fd = -1;
}

void locks_closing(long fd)
{
	struct stat st;
	uint64_t mask;
	long i;

	if (!holders_end || kernel(SYS_fstat, fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	signals_block_all(&mask);
	stop_lock();
	i = find(&st);
	if (i >= 0)
		let_go((uint32_t)i);
	stop_unlock();
	signals_set_mask(mask);
}

void locks_forked(void)
{
	for (uint32_t i = 0; i < holders_end; i++)
		if (holders[i].fd >= 0)
			kernel(SYS_close, holders[i].fd);
	holders_end = 0;
}

bool locks_on(const struct stat *file)
{
	long i = find(file);

	return i >= 0 && fdinfo_locks(holders[i].fd) & FDINFO_LOCKED;
}

int locks_holder(uint32_t n)
{
	for (uint32_t i = 0; i < holders_end; i++)
		if (holders[i].fd >= 0 && fdinfo_locks(holders[i].fd) & FDINFO_LOCKED && !n--)
			return holders[i].fd;
	return -1;
}

long locks_adopt(int fd)
{
	struct stat st;
	long r = kernel(SYS_fstat, fd, &st);

	if (r < 0)
		return r;
	r = enter(&st, fd);
	return r < 0 ? r : 0;
}
