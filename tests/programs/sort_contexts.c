/* Callbacks with a context of their own: qsort_r, lfind, a walk over a folder, regular expressions
 * between points. */
#define _GNU_SOURCE
#include "sum.h"

#include <dirent.h>
#include <fnmatch.h>
#include <ftw.h>
#include <regex.h>
#include <search.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct context {
	int calls, up;
};
static int walked, depth;

static int by(const void *a, const void *b, void *arg)
{
	struct context *c = arg;
	int x = *(const int *)a, y = *(const int *)b;

	c->calls++;
	return c->up ? (x > y) - (x < y) : (x < y) - (x > y);
}

static int equal(const void *a, const void *b)
{
	return *(const int *)a != *(const int *)b;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	walked += type == FTW_F || type == FTW_D || type == FTW_DP;
	depth = at->level > depth ? at->level : depth;
	return path && st ? 0 : 1;
}

static int only_a(const struct dirent *d)
{
	return !fnmatch("a*", d->d_name, 0);
}

int main(void)
{
	char dir[] = "/tmp/drover-contexts-XXXXXX", path[64];
	struct context up = {0, 1}, down = {0, 0};
	uint64_t h = SUM_START;
	struct dirent **names;
	regex_t re;
	int n;

	if (!mkdtemp(dir) || regcomp(&re, "^a[0-9]+(b|c)*$", REG_EXTENDED))
		return 1;
	for (int i = 0; i < some(3); i++) {
		int v[7] = {5, 2, 9, 1, 7, 3, i}, key = 7;
		size_t len = 7;
		int *at;

		qsort_r(v, 7, sizeof(*v), by, i % 2 ? &up : &down);
		at = lfind(&key, v, &len, sizeof(*v), equal);
		snprintf(path, sizeof(path), "%s/a%d%s", dir, i, i % 2 ? "bcb" : "x");
		mkdir(path, 0700);
		h = mix(mix(h, (uint64_t)v[0] * 100 + (uint64_t)v[6]),
			at ? (uint64_t)(at - v) : 99);
		h = mix(h, (uint64_t)regexec(&re, strrchr(path, '/') + 1, 0, NULL, 0));
		printf("%d %d %d\n", v[0], v[6], at ? (int)(at - v) : -1);
	}
	n = scandir(dir, &names, only_a, alphasort);
	for (int i = 0; i < n; i++) {
		h = mixs(h, names[i]->d_name);
		free(names[i]);
	}
	if (n > 0)
		free(names);
	nftw(dir, visit, 4, FTW_PHYS | FTW_DEPTH);
	printf("%d entries, %d walked, %d deep\n", n, walked, depth);
	regfree(&re);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/a%d%s", dir, i, i % 2 ? "bcb" : "x");
		rmdir(path);
	}
	rmdir(dir);
	show("contexts", h);
	return 0;
}
