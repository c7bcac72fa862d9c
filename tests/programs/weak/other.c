/* The other file of weak/main.c. */
#include "tests/programs/sum.h"

int counts(int n);
int replaced(int n);
int two(int n);

int replaced(int n)
{
	int sum = n;

	for (int i = 0; i < some(3); i++)
		for (int k = 0; k < some(2); k++)
			sum = sum * 2 + counts(i) % 5;
	return sum;
}

__attribute__((weak)) int two(int n)
{
	return counts(n) + 1;
}
