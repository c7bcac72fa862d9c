/* Weak definitions with migration points: one that counts, one that another file replaces, one of
 * two weak ones, a weak alias, and a weak reference to nothing. */
#include "tests/programs/sum.h"

int counts(int n);
int replaced(int n);
int two(int n);
int other_name(int n);
int nothing(int n) __attribute__((weak));

__attribute__((weak)) int counts(int n)
{
	int sum = 0;

	for (int i = 0; i < some(n); i++)
		for (int k = 0; k < some(2); k++)
			sum += i * k + n;
	return sum;
}

__attribute__((weak)) int replaced(int n)
{
	for (int i = 0; i < some(n); i++)
		for (int k = 0; k < some(2); k++)
			puts("the weak one");
	return -1;
}

__attribute__((weak)) int two(int n)
{
	return counts(n) + 1;
}

static int hidden_one(int n)
{
	return counts(n + 1) * 2;
}

int other_name(int n) __attribute__((weak, alias("hidden_one")));

int main(void)
{
	for (int i = 0; i < 4; i++)
		printf("%d %d %d %d\n", counts(i), replaced(i), two(i), other_name(i));
	printf("%d\n", nothing ? nothing(1) : 0);
	return 0;
}
