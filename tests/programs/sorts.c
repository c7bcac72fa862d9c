/* Sorting by insertion, shell, heap, merge and quick: the same array, the same result. */
#include "sum.h"

#define N 11

static int scratch[N];

static void insertion(int *v, int n, int gap)
{
	for (int i = gap; i < n; i++) {
		int x = v[i], j = i;

		for (; j >= gap && v[j - gap] > x; j -= gap)
			v[j] = v[j - gap];
		v[j] = x;
	}
}

static void shell(int *v, int n)
{
	for (int gap = n / 2; gap > 0; gap /= 2)
		insertion(v, n, gap);
}

static void heap(int *v, int n)
{
	for (int end = n, start = n / 2; end > 1;) {
		int root, t;

		if (start > 0) {
			start--;
		} else {
			end--;
			t = v[0], v[0] = v[end], v[end] = t;
		}
		for (root = start; 2 * root + 1 < end;) {
			int child = 2 * root + 1;

			child += child + 1 < end && v[child] < v[child + 1];
			if (v[root] >= v[child])
				break;
			t = v[root], v[root] = v[child], v[child] = t;
			root = child;
		}
	}
}

static void merge(int *v, int n)
{
	int half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	merge(v, half);
	merge(v + half, n - half);
	while (i < half || j < n)
		scratch[k++] = j == n || (i < half && v[i] <= v[j]) ? v[i++] : v[j++];
	memcpy(v, scratch, (size_t)n * sizeof(*v));
}

static void quick(int *v, int n)
{
	int i = 0, j = n - 1, pivot = v[n / 2];

	while (i <= j) {
		while (v[i] < pivot)
			i++;
		while (v[j] > pivot)
			j--;
		if (i <= j) {
			int t = v[i];

			v[i++] = v[j];
			v[j--] = t;
		}
	}
	if (j > 0)
		quick(v, j + 1);
	if (i < n - 1)
		quick(v + i, n - i);
}

int main(void)
{
	static void (*const all[])(int *, int) = {shell, heap, merge, quick};
	static const char *const names[] = {"shell", "heap", "merge", "quick"};

	for (int s = 0; s < some(4); s++) {
		uint64_t h = SUM_START;
		unsigned int x = 7;
		int v[N];

		for (int i = 0; i < N; i++)
			v[i] = (int)((x = x * 1103515245u + 12345u) >> 16) % 100;
		all[s](v, some(N));
		for (int i = 0; i < N; i++)
			h = mix(h, (uint64_t)v[i]);
		show(names[s], h);
	}
	return 0;
}
