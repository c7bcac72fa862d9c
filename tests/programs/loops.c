/* Loops of every kind: do-while, continue, break out of nests, several exits, infinite with return.
 */
#include "sum.h"

static int collatz(int n, int *peak)
{
	int steps = 0;

	*peak = n;
	for (;;) {
		if (n == 1)
			return steps;
		n = n & 1 ? 3 * n + 1 : n / 2;
		if (n > *peak)
			*peak = n;
		if (++steps > 500)
			return -1;
	}
}

static int search(const int *v, int n, int want)
{
	int i = 0;

	do {
		if (v[i] == want)
			break;
		if (v[i] < 0)
			continue;
		if (v[i] > 1000)
			return -2;
	} while (++i < n);
	return i < n ? i : -1;
}

int main(void)
{
	int v[12] = {5, -1, 9, 40, -7, 22, 3, 8, 1001, 2, 6, 4}, peak, sum = 0;
	uint64_t h = SUM_START;

	for (int n = 1; n < some(14); n++) {
		int s = collatz(n, &peak);

		if (n % 4 == 0)
			continue;
		printf("%d:%d/%d ", n, s, peak);
	}
	putchar('\n');
	for (int i = some(12); i-- > 0;)
		printf("%d ", search(v, 12, i * 3 % 11));
	putchar('\n');
	for (int i = 0; i < some(10); i++) {
		for (int j = i; j < 10; j++) {
			if ((i * j) % 7 == 6)
				goto out;
			if ((i + j) % 3 == 0)
				continue;
			sum += i * j;
			if (sum > 300)
				break;
		}
		h = mix(h, (uint64_t)sum);
		sum -= sum / 3;
	}
out:
	do
		h = mix(h, (uint64_t)sum--);
	while (sum > 0 && sum % 16);
	printf("%d\n", sum);
	show("sums", h);
	return 0;
}
