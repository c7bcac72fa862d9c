/* Bodies under gravity: doubles in registers, an array of structs. Argument: steps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BODIES 5

struct body {
	double x[3], v[3], mass;
};

static void advance(struct body *b, double dt)
{
	for (int i = 0; i < BODIES; i++)
		for (int j = i + 1; j < BODIES; j++) {
			double dx = b[i].x[0] - b[j].x[0], dy = b[i].x[1] - b[j].x[1],
			       dz = b[i].x[2] - b[j].x[2];
			double d2 = dx * dx + dy * dy + dz * dz, m = dt / (d2 * sqrt(d2));

			b[i].v[0] -= dx * b[j].mass * m, b[j].v[0] += dx * b[i].mass * m;
			b[i].v[1] -= dy * b[j].mass * m, b[j].v[1] += dy * b[i].mass * m;
			b[i].v[2] -= dz * b[j].mass * m, b[j].v[2] += dz * b[i].mass * m;
		}
	for (int i = 0; i < BODIES; i++)
		for (int k = 0; k < 3; k++)
			b[i].x[k] += dt * b[i].v[k];
}

int main(int argc, char **argv)
{
	int steps = argc > 1 ? atoi(argv[1]) : 8000000;
	struct body b[BODIES] = {{{0, 0, 0}, {0, 0, 0}, 39.5},
				 {{4.8, -1.2, -0.1}, {0.6, 2.8, 0}, 0.037},
				 {{8.3, 4.1, -0.4}, {-1.0, 1.8, 0}, 0.011},
				 {{12.9, -15.1, -0.2}, {1.1, 0.9, 0}, 0.0017},
				 {{15.4, -25.9, 0.2}, {1.0, 0.6, 0}, 0.002}};

	for (int i = 0; i < steps; i++)
		advance(b, 0.001);
	printf("%.17g\n", b[1].x[0]);
	return 0;
}
