/* N queens: backtracking with sets of bits, and once more with an array on the stack. */
#include "sum.h"

static uint64_t seen = SUM_START;

static int solve(unsigned int all, unsigned int cols, unsigned int left, unsigned int right)
{
	int n = 0;

	if (cols == all)
		return 1;
	for (unsigned int free = all & ~(cols | left | right); free; free &= free - 1) {
		unsigned int bit = free & -free;

		n += solve(all, cols | bit, (left | bit) << 1, (right | bit) >> 1);
	}
	return n;
}

static int place(int *row, int at, int n)
{
	int found = 0;

	if (at == n) {
		for (int i = 0; i < n; i++)
			seen = mix(seen, (uint64_t)row[i]);
		return 1;
	}
	for (int r = 0; r < n; r++) {
		int ok = 1;

		for (int i = 0; i < at && ok; i++)
			ok = row[i] != r && row[i] - r != at - i && r - row[i] != at - i;
		if (ok) {
			row[at] = r;
			found += place(row, at + 1, n);
		}
	}
	return found;
}

int main(void)
{
	int row[8];

	printf("%d\n", solve((1u << some(5)) - 1, 0, 0, 0));
	printf("%d\n", place(row, 0, some(4)));
	show("solutions", seen);
	return 0;
}
