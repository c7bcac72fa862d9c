/*
 * MPI for exactly one rank, as far as the EP and IS of NPB need it: the peers of bench/npb.sh are
 * MPI programs, and with one rank every collective is a copy. Nothing of this is in a timed loop
 * but the copies themselves, which are what an MPI library does with one rank.
 */
#ifndef BENCH_NPB_MPI_H
#define BENCH_NPB_MPI_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int MPI_Status;
typedef int MPI_Request;
enum { MPI_COMM_WORLD, MPI_SUM, MPI_MAX };
enum { MPI_INT = sizeof(int), MPI_DOUBLE = sizeof(double) }; /* a type is its size */

static inline void MPI_Init(int *argc, char ***argv)
{
	(void)argc, (void)argv;
}
static inline void MPI_Finalize(void)
{
}
static inline void MPI_Abort(int comm, int code)
{
	(void)comm, exit(code);
}
static inline void MPI_Barrier(int comm)
{
	(void)comm;
}
static inline void MPI_Comm_rank(int comm, int *rank)
{
	(void)comm, *rank = 0;
}
static inline void MPI_Comm_size(int comm, int *size)
{
	(void)comm, *size = 1;
}

static inline double MPI_Wtime(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void MPI_Allreduce(const void *in, void *out, int n, int type, int op, int comm)
{
	(void)op, (void)comm;
	memcpy(out, in, (size_t)n * (size_t)type);
}

static inline void MPI_Reduce(const void *in, void *out, int n, int type, int op, int root,
			      int comm)
{
	(void)root;
	MPI_Allreduce(in, out, n, type, op, comm);
}

static inline void MPI_Alltoall(const void *in, int nin, int tin, void *out, int nout, int tout,
				int comm)
{
	(void)nout, (void)tout, (void)comm;
	memcpy(out, in, (size_t)nin * (size_t)tin);
}

static inline void MPI_Alltoallv(const void *in, const int *nin, const int *din, int tin, void *out,
				 const int *nout, const int *dout, int tout, int comm)
{
	(void)nout, (void)comm;
	memcpy((char *)out + (size_t)dout[0] * (size_t)tout,
	       (const char *)in + (size_t)din[0] * (size_t)tin, (size_t)nin[0] * (size_t)tin);
}

/* Only between neighbours, which one rank has not. */
static inline void MPI_Irecv(void *p, int n, int t, int from, int tag, int comm, MPI_Request *r)
{
	(void)p, (void)n, (void)t, (void)from, (void)tag, (void)comm, (void)r;
	abort();
}
static inline void MPI_Send(const void *p, int n, int t, int to, int tag, int comm)
{
	(void)p, (void)n, (void)t, (void)to, (void)tag, (void)comm;
	abort();
}
static inline void MPI_Wait(MPI_Request *r, MPI_Status *s)
{
	(void)r, (void)s;
	abort();
}

/* The simulator these copies of NPB come with. */
#define SMPI_SHARED_MALLOC(size)                   malloc(size)
#define SMPI_SHARED_FREE(p)                        free(p)
#define SMPI_SAMPLE_GLOBAL(init, cond, next, n, t) for (init; cond; next)
#define TRACE_smpi_set_category(name)              ((void)(name))

#endif
