/* How much memory a kernel may take here, and arrays out of it; see npb.h. */
#include "workloads/npb/common/npb.h"

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

static void limit_process(struct limit *l)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_AS, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
		limit_lower(l, r.rlim_cur, "the limit of address space (ulimit -v) is");
	if (getrlimit(RLIMIT_DATA, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
		limit_lower(l, r.rlim_cur, "the limit of data (ulimit -d) is");
}

/* The limit of the control group `path` (version 2) and of all above it. */
static void limit_cgroup(struct limit *l, char *path, size_t len)
{
	static const char root[] = "/sys/fs/cgroup";

	while (len > 0) {
		char name[1200], text[32] = "";
		FILE *f;

		path[len] = '\0';
		snprintf(name, sizeof(name), "%s%s/memory.max", root, path);
		f = fopen(name, "re");
		if (f) {
			if (fgets(text, sizeof(text), f) && text[0] >= '0' && text[0] <= '9')
				limit_lower(l, strtoull(text, NULL, 10),
					    "the limit of this control group is");
			fclose(f);
		}
		while (len > 0 && path[--len] != '/')
			;
	}
}

static void limit_cgroups(struct limit *l)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[1024];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::/", 4))
			limit_cgroup(l, line + 3, strlen(line + 3));
	}
	fclose(f);
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
