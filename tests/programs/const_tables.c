/* Constant tables full of pointers: to data, to functions, to each other, into the middle of
 * arrays. */
#include "sum.h"

static int cells[6] = {10, 20, 30, 40, 50, 60};
static int *const places[] = {&cells[0], &cells[5], cells + 2};
static const char words[][8] = {"zero", "one", "two", "three"};
static const char *const starts[] = {words[3], words[1] + 1, words[0]};

struct menu {
	const char *title;
	const struct menu *const *children;
	int (*action)(const struct menu *, int);
	int *const *counter;
};

static int count(const struct menu *m, int by)
{
	return **m->counter += by;
}

static int longest(const struct menu *m, int by)
{
	int n = (int)strlen(m->title);

	for (const struct menu *const *c = m->children; c && *c; c++) {
		int k = (*c)->action(*c, by + 1);

		n = k > n ? k : n;
	}
	return n;
}

static const struct menu save = {"save", NULL, count, &places[0]};
static const struct menu load = {"load from", NULL, count, &places[1]};
static const struct menu *const file_items[] = {&save, &load, NULL};
static const struct menu file = {"file", file_items, longest, &places[2]};
static const struct menu help = {"help and more", NULL, longest, NULL};
static const struct menu *const bar_items[] = {&file, &help, NULL};
static const struct menu bar = {"menu bar", bar_items, longest, &places[2]};

/* Pointers that are computed before main from addresses of data. */
static int *const *const second = places + 1;
static const char *after = &words[2][1];

int main(void)
{
	for (int i = 0; i < some(12); i++) {
		const struct menu *m = i % 3 == 0 ? &bar : i % 3 == 1 ? &file : &save;

		printf("%s %d\n", m->title, m->action(m, i));
		**second += i;
		printf("%s %s %d\n", starts[i % 3], after, *places[i % 3]);
		after = starts[i % 3] + (i & 1);
	}
	for (int i = 0; i < some(6); i++)
		printf("%d ", cells[i]);
	putchar('\n');
	return 0;
}
