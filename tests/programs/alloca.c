/* Memory of alloca: taken in a loop, chained, of every size, alive until the function returns. */
#include "sum.h"

#include <alloca.h>

struct link {
	struct link *next;
	int size;
	unsigned char data[];
};

static uint64_t build(int n, int depth)
{
	struct link *head = NULL;
	uint64_t h = SUM_START;

	for (int i = 1; i <= n; i++) {
		struct link *l = alloca(sizeof(*l) + (size_t)(i * 5));

		l->next = head;
		l->size = i * 5;
		for (int k = 0; k < l->size; k++)
			l->data[k] = (unsigned char)(k * i + depth);
		head = l;
	}
	if (depth > 0)
		h = mix(h, build(n - 2, depth - 1));
	for (struct link *l = head; l; l = l->next)
		for (int k = 0; k < l->size; k += 3)
			h = mix(h, l->data[k]);
	return h;
}

int main(void)
{
	char *text = alloca((size_t)some(40));

	snprintf(text, 40, "text in a block of %d bytes", some(40));
	show("chain", build(some(9), 3));
	show("again", build(some(5), 1));
	puts(text);
	return 0;
}
