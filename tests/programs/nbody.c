/* Bodies under gravity: many doubles alive at once, an array of structs, sqrt. */
#include "sum.h"

#include <math.h>

#define BODIES 4

struct body {
	double x, y, z, vx, vy, vz, mass;
};

static struct body sky[BODIES] = {
	{0, 0, 0, 0, 0, 0, 39.5},
	{4.84, -1.16, -0.10, 0.6, 2.81, -0.02, 0.037},
	{8.34, 4.12, -0.40, -1.01, 1.82, 0.008, 0.011},
	{12.89, -15.1, -0.22, 1.08, 0.86, -0.01, 0.0017},
};

static double energy(const struct body *b, int n)
{
	double e = 0;

	for (int i = 0; i < n; i++) {
		e += 0.5 * b[i].mass * (b[i].vx * b[i].vx + b[i].vy * b[i].vy + b[i].vz * b[i].vz);
		for (int j = i + 1; j < n; j++) {
			double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;

			e -= b[i].mass * b[j].mass / sqrt(dx * dx + dy * dy + dz * dz);
		}
	}
	return e;
}

static void advance(struct body *b, int n, double dt)
{
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n; j++) {
			double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
			double d2 = dx * dx + dy * dy + dz * dz, m = dt / (d2 * sqrt(d2));

			b[i].vx -= dx * b[j].mass * m, b[j].vx += dx * b[i].mass * m;
			b[i].vy -= dy * b[j].mass * m, b[j].vy += dy * b[i].mass * m;
			b[i].vz -= dz * b[j].mass * m, b[j].vz += dz * b[i].mass * m;
		}
	for (int i = 0; i < n; i++) {
		b[i].x += dt * b[i].vx;
		b[i].y += dt * b[i].vy;
		b[i].z += dt * b[i].vz;
	}
}

int main(void)
{
	printf("%.17g\n", energy(sky, some(BODIES)));
	for (int i = 1; i <= some(12); i++) {
		advance(sky, BODIES, 0.01);
		if (i % 3 == 0)
			printf("%d %.17g %.17g\n", i, energy(sky, BODIES), sky[1].x);
	}
	return 0;
}
