/* Volatile locals, members and statics: each read and write happens, in order, across points. */
#include "sum.h"

static volatile int counter;

struct device {
	volatile unsigned status;
	volatile unsigned char data[4];
};

static unsigned pump(volatile struct device *d, int n)
{
	volatile double sum = 0;

	for (int i = 0; i < n; i++) {
		d->status |= 1u << (i % 20);
		d->data[i % 4] = (unsigned char)(d->data[(i + 1) % 4] + i);
		sum = sum + d->data[i % 4] * 0.5;
		counter++;
	}
	return d->status + (unsigned)sum;
}

int main(void)
{
	struct device d = {3, {1, 2, 3, 4}};
	volatile int kept = 5;

	for (int i = 0; i < 4; i++) {
		kept = kept * 3 + (int)pump(&d, some(6));
		printf("%d %d %u\n", kept, counter, d.data[i]);
	}
	return 0;
}
