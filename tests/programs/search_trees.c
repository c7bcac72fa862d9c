/* tsearch, tfind, tdelete, twalk and lsearch with callbacks that loop. */
#define _GNU_SOURCE
#include <search.h>
#include <stdlib.h>

#include "sum.h"

static uint64_t h = SUM_START;

static int compare(const void *a, const void *b)
{
	const char *x = a, *y = b;

	for (int i = 0; i < some(12); i++)
		for (int k = 0; k < some(1); k++)
			if (x[i] != y[i] || !x[i])
				return x[i] - y[i];
	return 0;
}

static void visit(const void *node, VISIT order, int level)
{
	if (order == postorder || order == leaf)
		h = mixs(mix(h, (uint64_t)level), *(const char *const *)node);
}

int main(void)
{
	static char names[10][12];
	void *root = NULL;
	size_t n = 0;
	char list[6][12];

	for (int i = 0; i < 10; i++) {
		snprintf(names[i], sizeof names[i], "name %d", i * 7 % 10);
		tsearch(names[i], &root, compare);
	}
	twalk(root, visit);
	show("walk", h);
	printf("%d\n", tfind("name 4", &root, compare) != NULL);
	tdelete("name 4", &root, compare);
	printf("%d\n", tfind("name 4", &root, compare) != NULL);
	for (int i = 0; i < 6; i++)
		lsearch(names[i % 4], list, &n, sizeof *list, compare);
	printf("%zu %s\n", n, list[n - 1]);
	for (int i = 0; i < 10; i++)
		tdelete(names[i], &root, compare);
	return root != NULL;
}
