/* The Mandelbrot set in characters: a data-dependent inner loop, output a character at a time. */
#include "sum.h"

static int escape(double cr, double ci, int limit)
{
	double zr = 0, zi = 0;
	int i = 0;

	while (i < limit && zr * zr + zi * zi < 4.0) {
		double t = zr * zr - zi * zi + cr;

		zi = 2 * zr * zi + ci;
		zr = t;
		i++;
	}
	return i;
}

int main(void)
{
	static const char shade[] = " .:-=+*#%@";
	long total = 0;

	for (int y = 0; y < some(6); y++) {
		for (int x = 0; x < some(18); x++) {
			int n = escape(x / 7.0 - 2.0, y / 2.5 - 1.0, 40);

			total += n;
			putchar(shade[n * 9 / 40]);
		}
		putchar('\n');
	}
	printf("%ld\n", total);
	return 0;
}
