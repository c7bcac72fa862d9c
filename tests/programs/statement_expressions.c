/* Statement expressions, typeof, conditional without a middle, case ranges, labels as values kept.
 */
#include "sum.h"

#define MAX_OF(a, b)                                                                               \
	({                                                                                         \
		__typeof__(a) first_ = (a);                                                        \
		__typeof__(b) second_ = (b);                                                       \
		first_ > second_ ? first_ : second_;                                               \
	})

static int work(int n)
{
	int sum = 0;

	for (int i = 0; i < some(n); i++)
		for (int k = 0; k < some(2); k++)
			sum += i ^ k;
	return sum;
}

static const char *range(int n)
{
	switch (n) {
	case 0 ... 3:
		return "low";
	case 4 ... 9:
		return "middle";
	default:
		return "high";
	}
}

int main(void)
{
	for (int i = 0; i < 12; i += 2) {
		int m = MAX_OF(work(i), work(5) + ({
						int inner = work(2);
						inner * 2;
					}));
		printf("%d %d %s\n", m, work(i) ?: -7, range(i));
	}
	return 0;
}
