/* See measure.h. */
#include "cli/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/paths.h"

#define ENDLESS   "1000000"
#define MIB       (1024.0 * 1024.0)
#define OUT_MAX   (64u << 10)
#define SHORT_S   2.0
#define SOFT_BIT  (UINT64_C(1) << 55) /* kernel: Documentation/admin-guide/mm/soft-dirty.rst */
#define NO_MEMORY 3                   /* exit status of a kernel that does not fit */

void measure_sleep(double seconds)
{
	struct timespec t = {.tv_sec = (time_t)seconds,
			     .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		continue;
}

int measure_program(const char *kernel, char *path, size_t size, struct err *e)
{
	char name[64], lib[512];

	(void)snprintf(name, sizeof(name), "drover-%s", kernel);
	if (paths_libdir(lib, sizeof(lib)) == 0 &&
	    (size_t)snprintf(path, size, "%s/workloads/%s", lib, name) < size &&
	    access(path, X_OK) == 0)
		return 0;
	if (paths_program(name, path, size) == 0)
		return 0;
	(void)snprintf(name, sizeof(name), "npb-%s-native", kernel);
	if (paths_program(name, path, size) == 0)
		return 0;
	err_set(e, -ENOENT, "there is no program of kernel %s (drover-%s)", kernel, kernel);
	return err_hint(e, "install Drover with its workloads, or run this from the build tree");
}

/* Starts argv with its output to fd. */
static int start(char *const argv[], int fd, pid_t *pid, struct err *e)
{
	*pid = fork();
	if (*pid < 0)
		return err_sys(e, -errno, "cannot start %s", argv[0]);
	if (*pid == 0) {
		if (dup2(fd, STDOUT_FILENO) >= 0)
			execv(argv[0], argv);
		_exit(127);
	}
	return 0;
}

int measure_start(const char *program, const char *class, pid_t *pid, struct err *e)
{
	char *argv[] = {(char *)program, "--json", "--class", (char *)class,
			"--repeat",      ENDLESS,  NULL};
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_sys(e, -errno, "cannot open /dev/null");
	rc = start(argv, fd, pid, e);
	close(fd);
	return rc;
}

void measure_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* What a kernel printed with --json. */
static int read_result(const char *text, size_t len, const char *program, double *time_s,
		       struct err *e)
{
	_cleanup_json_ json_t *v = NULL;
	struct json_fields f;
	bool verified = false;
	int rc = json_parse(text, len, OUT_MAX, "result", &v, e);

	if (rc)
		return err_wrap(e, "%s", program);
	json_fields_init(&f, v, "result", e);
	json_get_f64(&f, "time_s", JSON_REQUIRED, 0, 1e9, time_s);
	json_get_bool(&f, "verified", JSON_REQUIRED, &verified);
	rc = json_fields_end_lax(&f);
	if (rc)
		return err_wrap(e, "%s", program);
	return verified ? 0 : err_set(e, -EBADMSG, "%s did not verify", program);
}

static int run_once(const char *program, const char *class, struct measure *m, struct err *e)
{
	char *argv[] = {(char *)program, "--json", "--class", (char *)class, NULL};
	_cleanup_buf_ struct buf b = {0};
	uint64_t begin = clock_monotonic_ns();
	struct rusage use;
	int pipes[2], status, rc;
	pid_t pid;

	buf_init(&b, OUT_MAX);
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "cannot make a pipe");
	rc = start(argv, pipes[1], &pid, e);
	close(pipes[1]);
	if (rc) {
		close(pipes[0]);
		return rc;
	}
	rc = file_read_fd(pipes[0], program, &b, e);
	close(pipes[0]);
	if (rc)
		kill(pid, SIGKILL);
	while (wait4(pid, &status, 0, &use) < 0 && errno == EINTR)
		continue;
	if (rc)
		return rc;
	m->wall_s = (double)(clock_monotonic_ns() - begin) / (double)NS_PER_S;
	m->footprint_mib = (double)use.ru_maxrss / 1024;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MEMORY)
		return err_set(e, -ENOMEM, "class %s does not fit", class);
	if (!WIFEXITED(status))
		return err_set(e, -EBADMSG, "%s ended by signal %d", program, WTERMSIG(status));
	return read_result(buf_cstr(&b), b.len, program, &m->time_s, e);
}

static int by_time(const void *a, const void *b)
{
	const struct measure *x = a, *y = b;

	return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

int measure_run(const char *program, const char *class, struct measure *m, struct err *e)
{
	struct measure three[3];
	int n = 0, rc;

	do {
		three[n].dirty_mib_s = -1;
		rc = run_once(program, class, &three[n++], e);
	} while (!rc && n < 3 && three[0].wall_s < SHORT_S);
	if (rc)
		return rc;
	qsort(three, (size_t)n, sizeof(three[0]), by_time);
	*m = three[n / 2];
	return 0;
}

/* ---- dirty pages ---- */

/* Tells the kernel to forget which pages `pid` touched or wrote to. */
static int forget(pid_t pid, enum dirty_method how)
{
	char path[64];
	int fd, rc = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/clear_refs", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Clearing soft-dirty bits also flushes the TLB, without which pages in it would not show
	 * as touched again: so it comes second even where only touched pages are told. */
	if ((how == DIRTY_REFERENCED && write(fd, "1", 1) != 1) || write(fd, "4", 1) != 1)
		rc = -errno;
	close(fd);
	return rc;
}

/* Bytes of soft-dirty pages from `first` to `end`. */
static int count_range(int pagemap, uint64_t first, uint64_t end, uint64_t *bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), bits[512];

	for (uint64_t at = first / page; at < end / page;) {
		uint64_t n = end / page - at;
		ssize_t got;

		n = n < 512 ? n : 512;
		got = pread(pagemap, bits, (size_t)n * 8, (off_t)(at * 8));
		if (got <= 0)
			return got < 0 ? -errno : -ENODATA;
		for (size_t i = 0; i < (size_t)got / 8; i++)
			*bytes += bits[i] & SOFT_BIT ? page : 0;
		at += (uint64_t)got / 8;
	}
	return 0;
}

static int count_soft(pid_t pid, uint64_t *bytes)
{
	char path[64], line[512];
	int pagemap, rc = 0;
	FILE *maps;

	(void)snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (!maps)
		rc = -errno;
	while (!rc && fgets(line, sizeof(line), maps)) {
		unsigned long long first, end;
		char mode[8];

		if (sscanf(line, "%llx-%llx %7s", &first, &end, mode) == 3 && mode[1] == 'w')
			rc = count_range(pagemap, first, end, bytes);
	}
	if (maps)
		(void)fclose(maps);
	close(pagemap);
	return rc;
}

static int count_referenced(pid_t pid, uint64_t *bytes)
{
	unsigned long long kib = 0;
	char path[64], line[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		(void)sscanf(line, "Referenced: %llu kB", &kib);
	(void)fclose(f);
	*bytes += kib << 10;
	return 0;
}

static int count(pid_t pid, enum dirty_method how, uint64_t *bytes)
{
	return how == DIRTY_SOFT ? count_soft(pid, bytes) : count_referenced(pid, bytes);
}

/* True when, of 64 pages, writing to 16 shows as about 16 pages more than before. */
static bool works(enum dirty_method how)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before = 0, after = 0;
	bool ok;

	if (p == MAP_FAILED)
		return false;
	(void)madvise(p, 64 * page, MADV_NOHUGEPAGE);
	memset(p, 1, 64 * page);
	ok = forget(getpid(), how) == 0 && count(getpid(), how, &before) == 0;
	memset(p, 2, 16 * page);
	ok = ok && count(getpid(), how, &after) == 0 && after >= before + 16 * page &&
	     after < before + 60 * page;
	(void)munmap(p, 64 * page);
	return ok;
}

enum dirty_method measure_dirty_method(void)
{
	if (works(DIRTY_SOFT))
		return DIRTY_SOFT;
	return works(DIRTY_REFERENCED) ? DIRTY_REFERENCED : DIRTY_NONE;
}

const char *measure_dirty_says(enum dirty_method m)
{
	static const char *const says[] = {
		[DIRTY_NONE] = "this kernel tracks neither written nor touched pages",
		[DIRTY_REFERENCED] =
			"pages touched, read or written, so an upper bound of those written: this "
			"kernel keeps no soft-dirty bits",
		[DIRTY_SOFT] = "pages written, by the kernel's soft-dirty bits",
	};

	return says[m];
}

int measure_dirty(const char *program, const char *class, enum dirty_method how, struct measure *m,
		  struct err *e)
{
	uint64_t bytes = 0;
	pid_t pid;
	int rc;

	m->dirty_mib_s = -1;
	if (how == DIRTY_NONE)
		return 0;
	rc = measure_start(program, class, &pid, e);
	if (rc)
		return rc;
	measure_sleep(m->wall_s - m->time_s + 0.1);
	for (int i = 0; !rc && i < DIRTY_SAMPLES; i++) {
		rc = forget(pid, how);
		measure_sleep(DIRTY_INTERVAL_MS / 1000.0);
		/* Stopped, it does not go on writing while pages are counted. */
		kill(pid, SIGSTOP);
		if (!rc)
			rc = count(pid, how, &bytes);
		kill(pid, SIGCONT);
	}
	measure_stop(pid);
	if (rc)
		return err_sys(e, rc, "cannot count the dirty pages of %s", program);
	m->dirty_mib_s = (double)bytes / MIB / (DIRTY_SAMPLES * DIRTY_INTERVAL_MS / 1000.0);
	return 0;
}
