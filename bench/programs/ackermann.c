/* Ackermann's function: deep recursion with a call as an argument. Argument: n of A(3, n). Each
 * call of main depends on the result of the one before, so that equal calls cannot be made one. */
#include <stdio.h>
#include <stdlib.h>

static int ackermann(int m, int n)
{
	if (m == 0)
		return n + 1;
	return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 11, sum = 0;

	for (int i = 0; i < 6; i++)
		sum += ackermann(3, n - (sum & 1));
	printf("%d\n", sum);
	return 0;
}
