/* Pointers to pointers, arrays of arrays, pointers one past the end, into the middle, and compared.
 */
#include "sum.h"

#include <stdlib.h>

static int grid[4][5];
static int *rows[4] = {grid[3], grid[1], grid[0], grid[2]};
static int **const all = rows;

static uint64_t fill(uint64_t h)
{
	int *end = &grid[3][4] + 1;

	for (int **r = all; r < all + 4; r++)
		for (int *p = *r; p < *r + 5; p++) {
			*p = (int)(p - grid[0]) * (int)(r - all + 1);
			h = mix(h, (uint64_t)(end - p));
		}
	return h;
}

static char **words(char *text)
{
	char **list = malloc(8 * sizeof *list), **at = list;

	for (char *p = text; *p; p++)
		if (*p != ' ' && (p == text || p[-1] == ' '))
			*at++ = p;
	*at = NULL;
	return list;
}

int main(void)
{
	static char text[] = "some words in one text";
	uint64_t h = fill(SUM_START);
	char **list = words(text);

	for (char **w = list; *w; w++)
		h = mix(mixs(h, *w), (uint64_t)(*w - text));
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 5; k++)
			h = mix(h, (uint64_t)rows[i][k]);
	show("tables", h);
	free(list);
	return 0;
}
