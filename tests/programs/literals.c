/* String literals kept in data, on the heap and on the stack, compared and walked by pointer. */
#include "sum.h"

#include <stdlib.h>

struct entry {
	const char *key, *value;
};

static const char *days[] = {"monday", "tuesday", "wednesday", "thursday", "friday"};
static struct entry table[8];
static const char *cursor = "the quick brown fox jumps over the lazy dog";
static char writable[] = "a writable array";

static const char *pick(int i)
{
	switch (i % 4) {
	case 0:
		return "literal of a switch";
	case 1:
		return days[i % 5];
	case 2:
		return days[i % 5] + 3;
	default:
		return "";
	}
}

int main(void)
{
	const char **heap = malloc(8 * sizeof(*heap)), *here = "on the stack";
	uint64_t h = SUM_START;

	for (int i = 0; i < some(8); i++) {
		heap[i] = pick(i);
		table[i] = (struct entry){heap[i], i & 1 ? "odd" : "even"};
	}
	for (int i = 0; i < some(8); i++) {
		h = mixs(mixs(h, table[i].key), table[i].value);
		printf("%s|%s|%d\n", heap[i], table[i].value, table[i].key == heap[i]);
		writable[i] = heap[i][0] ? heap[i][0] : '-';
	}
	while (*cursor) {
		h = mix(h, (unsigned char)*cursor);
		cursor += *here++ ? 1 : 2;
		if (!here[0])
			here = "again";
		if (!cursor[0] || !cursor[1])
			break;
	}
	printf("%s %s\n", writable, here);
	show("text", h);
	free(heap);
	return 0;
}
