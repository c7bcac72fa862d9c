/* The forms setjmp takes: retries in a loop, several buffers in one function, buffers on the heap
 * and copied, jumps within a function, out of a callback, with variable arrays, in a switch, with
 * arguments and aggregates that are needed again behind the jump. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sum.h"

struct point {
	double x, y;
	int tag;
};

static jmp_buf shared;

static int fail_until(jmp_buf to, int n, int wanted)
{
	int sum = 0;

	for (int i = 0; i < 3; i++) {
		sum += i * n;
		if (i == 2 && n < wanted)
			longjmp(to, n + 1);
	}
	return sum;
}

static int retries(int wanted, struct point p, double weight)
{
	jmp_buf here;
	volatile int tries = 0;
	int result;

	switch (setjmp(here)) {
	case 0:
	case 1:
	case 2:
	default:
		tries++;
	}
	result = fail_until(here, tries, wanted);
	return result + (int)(p.x * weight) + p.tag + tries;
}

static int several(int n)
{
	jmp_buf *first = malloc(sizeof *first), second, copy;
	volatile int stage = 0;
	int length = n + 3;
	unsigned char bytes[length];

	memset(bytes, n, sizeof bytes);
	int a = setjmp(*first);
	stage = stage + 1;
	if (!a) {
		if (!setjmp(second))
			fail_until(second, 0, 1);
		stage = stage + 10;
		memcpy(&copy, first, sizeof copy);
		fail_until(copy, n, n + 1);
	}
	free(first);
	return a * 1000 + stage + bytes[length - 1] + length;
}

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	if (x == 13 || y == 13)
		longjmp(shared, 13);
	return (x > y) - (x < y);
}

static int sort_or_fail(int with13)
{
	int v[24];

	for (int i = 0; i < 24; i++)
		v[i] = (i * 7 + 5) % 24 + 20;
	if (with13)
		v[17] = 13;
	if (setjmp(shared))
		return -1;
	qsort(v, 24, sizeof *v, compare);
	return v[0] * 100 + v[23];
}

static int nested(int depth)
{
	jmp_buf here;
	int r = setjmp(here);

	if (r)
		return r + depth;
	if (depth == 0)
		fail_until(here, 4, 5);
	r = nested(depth - 1);
	for (int i = 0; i < 2; i++)
		r += fail_until(here, i, 0);
	if (depth % 2)
		longjmp(here, r + 1);
	return r;
}

static int loop_of_buffers(void)
{
	static jmp_buf all[4];
	static int used[4];
	volatile int sum = 0;

	for (int i = 0; i < 4; i++)
		if (setjmp(all[i])) {
			sum = sum * 3 + i;
			break;
		}
	for (int i = 3; i >= 0; i--)
		if (!used[i]++) {
			fail_until(all[i], 1, 2);
		}
	return sum;
}

int main(void)
{
	for (int i = 0; i < 4; i++)
		printf("retries %d\n", retries(i, (struct point){i * 1.5, 2, i}, 2.5));
	for (int i = 0; i < 3; i++)
		printf("several %d\n", several(i));
	printf("sort %d %d\n", sort_or_fail(0), sort_or_fail(1));
	for (int i = 0; i < 5; i++)
		printf("nested %d\n", nested(i));
	printf("loop %d\n", loop_of_buffers() >= 0);
	return 0;
}
