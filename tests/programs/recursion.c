/* Recursion of every shape: binary, nested arguments, mutual, with an accumulator, through moves.
 */
#include "sum.h"

static int fib(int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static int ackermann(int m, int n)
{
	if (m == 0)
		return n + 1;
	return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

static int odd(int n);

static int even(int n)
{
	return n == 0 ? 1 : odd(n - 1);
}

static int odd(int n)
{
	return n == 0 ? 0 : even(n - 1);
}

static uint64_t moves;

static void hanoi(int n, int from, int to, int by)
{
	if (n == 0)
		return;
	hanoi(n - 1, from, by, to);
	moves = mix(moves, (uint64_t)(from * 16 + to));
	hanoi(n - 1, by, to, from);
}

static long gcd(long a, long b)
{
	long r = b == 0 ? a : gcd(b, a % b);

	moves = mix(moves, (uint64_t)(a ^ r));
	return r;
}

int main(void)
{
	printf("fib %d\n", fib(some(7)));
	printf("ackermann %d\n", ackermann(some(2), 2));
	printf("even %d odd %d\n", even(some(10)), odd(some(10)));
	hanoi(some(4), 1, 2, 3);
	show("hanoi", moves);
	printf("gcd %ld\n", gcd(some(1071 * 77), 462 * 77));
	show("gcd", moves);
	return 0;
}
