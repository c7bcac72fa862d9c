/*
 * NPB FT, "Fourier transform": solves a heat equation on a periodic box by transforming once,
 * multiplying each frequency in every iteration, and transforming back (NAS-91-002, kernel
 * FT). It stresses memory bandwidth with long strides, and the
 * floating-point units.
 *
 * An iteration is two sweeps through memory. The first goes along z: it multiplies the frequencies
 * and transforms what it has just loaded. The second takes a plane at a time through y and x.
 * Members own rows of the first and planes of the second, with a barrier between.
 */
#include "workloads/npb/ft/ft.h"

#include <math.h>
#include <stdlib.h>

#include "workloads/npb/common/lcg.h"

#define FT_SEED  UINT64_C(314159265)
#define FT_ALPHA 1e-6
#define FT_PAD   8 /* complex numbers between planes: keeps a column out of one set of the cache */

enum axis { X, Y, Z };

static size_t points(const struct ft_class *c, int axis)
{
	return (size_t)c->n[axis];
}

static size_t plane_size(const struct ft_class *c)
{
	return (points(c, X) + 1) * points(c, Y) + FT_PAD;
}

uint64_t ft_bytes(const struct ft_class *c, int members)
{
	uint64_t all = (uint64_t)points(c, X) * points(c, Y) * points(c, Z);

	return 2 * sizeof(struct ft_complex) * plane_size(c) * points(c, Z) + sizeof(double) * all +
	       sizeof(struct ft_room) * (uint64_t)members;
}

void ft_init(struct ft_state *s, const struct ft_class *c, struct npb_team *team, int members)
{
	size_t plane = plane_size(c), all = plane * points(c, Z);

	s->c = c;
	s->team = team;
	s->row = points(c, X) + 1;
	s->plane = plane;
	s->u0 = npb_alloc("ft", all, sizeof(struct ft_complex));
	s->u1 = npb_alloc("ft", all, sizeof(struct ft_complex));
	s->decay = npb_alloc("ft", points(c, X) * points(c, Y) * points(c, Z), sizeof(double));
	s->rooms = npb_alloc("ft", (size_t)members, sizeof(struct ft_room));
}

/* A length is cut to the longest there is: a loop that is known to be short is left without
 * migration points. */

/* Element k of transform b is at u[k * step + b]: a block of neighbouring columns. */
static void load_columns(struct ft_block *to, const struct ft_complex *u, size_t n, size_t step)
{
	n = n < FT_SIDE_MAX ? n : FT_SIDE_MAX;
	for (size_t k = 0; k < n; k++)
		for (size_t b = 0; b < FT_BLOCK; b++) {
			to->re[k * FT_BLOCK + b] = u[k * step + b].re;
			to->im[k * FT_BLOCK + b] = u[k * step + b].im;
		}
}

static void store_columns(const struct ft_block *from, struct ft_complex *u, size_t n, size_t step)
{
	n = n < FT_SIDE_MAX ? n : FT_SIDE_MAX;
	for (size_t k = 0; k < n; k++)
		for (size_t b = 0; b < FT_BLOCK; b++) {
			u[k * step + b].re = from->re[k * FT_BLOCK + b];
			u[k * step + b].im = from->im[k * FT_BLOCK + b];
		}
}

/* Element k of transform b is at u[b * row + k]: a block of neighbouring rows. */
static void load_rows(struct ft_block *to, const struct ft_complex *u, size_t n, size_t row)
{
	n = n < FT_SIDE_MAX ? n : FT_SIDE_MAX;
	for (size_t k = 0; k < n; k++)
		for (size_t b = 0; b < FT_BLOCK; b++) {
			to->re[k * FT_BLOCK + b] = u[b * row + k].re;
			to->im[k * FT_BLOCK + b] = u[b * row + k].im;
		}
}

static void store_rows(const struct ft_block *from, struct ft_complex *u, size_t n, size_t row)
{
	n = n < FT_SIDE_MAX ? n : FT_SIDE_MAX;
	for (size_t k = 0; k < n; k++)
		for (size_t b = 0; b < FT_BLOCK; b++) {
			u[b * row + k].re = from->re[k * FT_BLOCK + b];
			u[b * row + k].im = from->im[k * FT_BLOCK + b];
		}
}

/* Multiplies a block of columns of u with their decay d, there and into `to`. */
static void load_decayed(struct ft_block *to, struct ft_complex *restrict u,
			 const double *restrict d, size_t n, size_t step, size_t dstep)
{
	n = n < FT_SIDE_MAX ? n : FT_SIDE_MAX;
	for (size_t k = 0; k < n; k++)
		for (size_t b = 0; b < FT_BLOCK; b++) {
			double f = d[k * dstep + b];
			double re = u[k * step + b].re * f, im = u[k * step + b].im * f;

			u[k * step + b].re = re;
			u[k * step + b].im = im;
			to->re[k * FT_BLOCK + b] = re;
			to->im[k * FT_BLOCK + b] = im;
		}
}

/* Transforms a plane of u1 along y and x, in place. */
static void transform_plane(struct ft_state *s, struct ft_room *room, size_t z, bool backward)
{
	struct ft_complex *u = s->u1 + z * s->plane;
	size_t nx = points(s->c, X), ny = points(s->c, Y);
	int side;

	for (size_t x = 0; x < nx; x += FT_BLOCK) {
		load_columns(&room->side[0], u + x, ny, s->row);
		side = ft_transform(&s->plan[Y], room, backward);
		store_columns(&room->side[side], u + x, ny, s->row);
	}
	for (size_t y = 0; y < ny; y += FT_BLOCK) {
		load_rows(&room->side[0], u + y * s->row, nx, s->row);
		side = ft_transform(&s->plan[X], room, backward);
		store_rows(&room->side[side], u + y * s->row, nx, s->row);
	}
}

/* The random numbers of a plane of the initial field. */
static void fill_plane(struct ft_state *s, size_t z)
{
	size_t nx = points(s->c, X), ny = points(s->c, Y);
	uint64_t x = npb_lcg_skip(FT_SEED, NPB_LCG_A, 2 * nx * ny * z);

	for (size_t y = 0; y < ny; y++)
		npb_vranlc(2 * nx, &x, NPB_LCG_A, &s->u1[z * s->plane + y * s->row].re);
}

/* exp(-4 alpha pi^2 |k|^2) for the frequencies k of a plane, out of a factor for each direction. */
static void decay_plane(struct ft_state *s, size_t z)
{
	size_t nx = points(s->c, X), ny = points(s->c, Y);

	for (size_t y = 0; y < ny; y++) {
		double f = s->decay_of[Y][y] * s->decay_of[Z][z];
		double *row = s->decay + (z * ny + y) * nx;

		for (size_t x = 0; x < nx; x++)
			row[x] = f * s->decay_of[X][x];
	}
}

static void start(void *arg, int member, int members)
{
	struct ft_state *s = arg;
	struct ft_room *room = &s->rooms[member];
	size_t nx = points(s->c, X), ny = points(s->c, Y), nz = points(s->c, Z);

	for (size_t z = npb_share(nz, member, members); z < npb_share(nz, member + 1, members);
	     z++) {
		decay_plane(s, z);
		fill_plane(s, z);
		transform_plane(s, room, z, false);
	}
	npb_team_barrier(s->team);
	for (size_t y = npb_share(ny, member, members); y < npb_share(ny, member + 1, members); y++)
		for (size_t x = 0; x < nx; x += FT_BLOCK) {
			int side;

			load_columns(&room->side[0], s->u1 + y * s->row + x, nz, s->plane);
			side = ft_transform(&s->plan[Z], room, false);
			store_columns(&room->side[side], s->u0 + y * s->row + x, nz, s->plane);
		}
}

void ft_start(struct ft_state *s)
{
	const double pi = 3.141592653589793238;

	for (int a = X; a <= Z; a++) {
		size_t n = points(s->c, a);

		ft_plan_make(&s->plan[a], n);
		for (size_t i = 0; i < n; i++) {
			double k = (double)i - (i < n / 2 ? 0.0 : (double)n);

			s->decay_of[a][i] = exp(-4.0 * FT_ALPHA * pi * pi * k * k);
		}
	}
	npb_team_run(s->team, start, s);
}

static void iterate(void *arg, int member, int members)
{
	struct ft_state *s = arg;
	struct ft_room *room = &s->rooms[member];
	size_t nx = points(s->c, X), ny = points(s->c, Y), nz = points(s->c, Z);

	for (size_t y = npb_share(ny, member, members); y < npb_share(ny, member + 1, members); y++)
		for (size_t x = 0; x < nx; x += FT_BLOCK) {
			size_t at = y * s->row + x;
			int side;

			load_decayed(&room->side[0], s->u0 + at, s->decay + y * nx + x, nz,
				     s->plane, nx * ny);
			side = ft_transform(&s->plan[Z], room, true);
			store_columns(&room->side[side], s->u1 + at, nz, s->plane);
		}
	npb_team_barrier(s->team);
	for (size_t z = npb_share(nz, member, members); z < npb_share(nz, member + 1, members); z++)
		transform_plane(s, room, z, true);
}

/* The mean over 1,024 points, spread over the box by three strides. */
static struct ft_complex checksum(const struct ft_state *s)
{
	size_t nx = points(s->c, X), ny = points(s->c, Y), nz = points(s->c, Z);
	double all = (double)(nx * ny * nz);
	struct ft_complex sum = {0, 0};

	for (size_t j = 1; j <= 1024; j++) {
		size_t x = j % nx, y = 3 * j % ny, z = 5 * j % nz;
		const struct ft_complex *u = &s->u1[z * s->plane + y * s->row + x];

		sum.re += u->re;
		sum.im += u->im;
	}
	return (struct ft_complex){sum.re / all, sum.im / all};
}

struct ft_complex ft_iterate(struct ft_state *s)
{
	npb_team_run(s->team, iterate, s);
	return checksum(s);
}

bool ft_verify(const struct ft_class *c, int iteration, struct ft_complex sum)
{
	const struct ft_complex *want = &c->checksums[iteration];

	return fabs((sum.re - want->re) / want->re) <= 1e-12 &&
	       fabs((sum.im - want->im) / want->im) <= 1e-12;
}

void ft_free(struct ft_state *s)
{
	free(s->u0);
	free(s->u1);
	free(s->decay);
	free(s->rooms);
}
