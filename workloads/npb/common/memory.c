/* How much memory a kernel may take here, and arrays out of it; see npb.h. */
#include "workloads/npb/common/npb.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The smallest of the limits looked at so far, and whose it is. */
struct limit {
	uint64_t bytes;
	const char *whose;
};

static void limit_lower(struct limit *l, uint64_t bytes, const char *whose)
{
	if (bytes < l->bytes)
		*l = (struct limit){bytes, whose};
}

static void limit_machine(struct limit *l)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	if (pages > 0 && size > 0)
		limit_lower(l, (uint64_t)pages * (uint64_t)size, "this machine has");
}

/*
 * The beginning of a small file as a string; false when there is none. No stream and no loop: a
 * file of the kernel's cannot move to another machine, so it must not be open for long.
 */
static bool read_small(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

/* What the process's limits leave it beside what it has: proc(5), statm, in pages. */
static void limit_process(struct limit *l)
{
	unsigned long long all = 0, data = 0, size = (unsigned long long)sysconf(_SC_PAGESIZE);
	char text[128];
	struct rlimit r;

	if (read_small("/proc/self/statm", text, sizeof(text)))
		(void)sscanf(text, "%llu %*u %*u %*u %*u %llu", &all, &data);
	if (getrlimit(RLIMIT_AS, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
		limit_lower(l, r.rlim_cur > all * size ? r.rlim_cur - all * size : 0,
			    "the limit of address space (ulimit -v) leaves");
	if (getrlimit(RLIMIT_DATA, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
		limit_lower(l, r.rlim_cur > data * size ? r.rlim_cur - data * size : 0,
			    "the limit of data (ulimit -d) leaves");
}

/* The limit of the control group `path`, and of all above it. */
static void limit_cgroup(struct limit *l, const char *root, const char *file, char *path)
{
	size_t len = strlen(path);

	while (len > 0) {
		char name[1200], text[32] = "";

		path[len] = '\0';
		snprintf(name, sizeof(name), "%s%s/%s", root, path, file);
		if (read_small(name, text, sizeof(text)) && text[0] >= '0' && text[0] <= '9')
			limit_lower(l, strtoull(text, NULL, 10),
				    "the limit of this control group is");
		while (len > 0 && path[--len] != '/')
			;
	}
}

/* Lines are ID:CONTROLLERS:PATH, those of version 2 without a controller (cgroups(7)). */
static void limit_cgroups(struct limit *l)
{
	char text[4096], *save = NULL;

	if (!read_small("/proc/self/cgroup", text, sizeof(text)))
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *path = strstr(line, ":/");

		if (!path || strlen(++path) >= 1024)
			continue;
		if (!strncmp(line, "0::", 3))
			limit_cgroup(l, "/sys/fs/cgroup", "memory.max", path);
		else if (strstr(line, ":memory:"))
			limit_cgroup(l, "/sys/fs/cgroup/memory", "memory.limit_in_bytes", path);
	}
}

bool npb_memory_check(const struct npb_options *o, const char *kernel, uint64_t bytes)
{
	struct limit l = {UINT64_MAX, ""};

	limit_machine(&l);
	limit_process(&l);
	limit_cgroups(&l);
	if (bytes <= l.bytes)
		return true;
	fprintf(stderr,
		"drover-%s: class %c needs %llu MiB and %s %llu MiB; take a smaller class\n",
		kernel, npb_class_letter(o->class), (unsigned long long)(bytes >> 20), l.whose,
		(unsigned long long)(l.bytes >> 20));
	return false;
}

void *npb_alloc(const char *kernel, size_t n, size_t size)
{
	void *p = n > SIZE_MAX / size ? NULL : malloc(n * size);

	if (!p) {
		fprintf(stderr,
			"drover-%s: no memory for an array of %zu MiB; take a smaller class or "
			"raise the limit (ulimit -v)\n",
			kernel, (size_t)((double)n * (double)size / (1024 * 1024)));
		exit(NPB_NO_MEMORY);
	}
	return p;
}
