/* _Thread_local variables of the first thread: initial values, addresses kept, arrays, in
 * functions. */
#include "sum.h"

static _Thread_local int count = 7;
_Thread_local double weights[4] = {0.5, 1.5, 2.5, 3.5};
static _Thread_local struct {
	const char *name;
	int *where;
} entry = {"entry", NULL};

static int next(void)
{
	static _Thread_local int last = 100;

	return last += count;
}

int main(void)
{
	uint64_t h = SUM_START;

	entry.where = &count;
	for (int i = 0; i < some(16); i++) {
		*entry.where += i;
		weights[i % 4] *= 1.25;
		h = mix(h, (uint64_t)next());
		h = mixd(h, weights[(i + 1) % 4]);
	}
	h = mixs(h, entry.name);
	show("thread", h);
	return entry.where != &count;
}
