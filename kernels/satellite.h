/*
 * Satellites: the places a half of a bundle runs. One per ISA; one file per
 * back end, each a const table of functions.
 *
 * "process" runs the half on this host's kernel: natively if the ISA is the
 * host's, else through qemu-user, which every report calls emulated. Back ends
 * with namespaces, cgroups or a guest kernel of their own fit the same table.
 */
#ifndef DROVER_SATELLITE_H
#define DROVER_SATELLITE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/err.h"
#include "common/isa.h"

enum satellite_mode { SATELLITE_NATIVE, SATELLITE_EMULATED, SATELLITE_UNAVAILABLE };

struct satellite_info {
	enum satellite_mode mode;
	char emulator[128]; /* emulated: its path */
	char reason[192];   /* unavailable: why */
};

#define SATELLITE_KEEP_MAX 8

/* What to run and how. All borrowed for the call of start(). */
struct satellite_spec {
	enum isa isa;
	int exe_fd;                   /* the half, readable; executed from this descriptor */
	const char *const *argv;      /* argv[0] included; NULL-terminated */
	const char *const *envp;      /* the whole environment; NULL-terminated */
	const char *cwd;              /* NULL: the caller's */
	int stdio[3];                 /* become 0, 1, 2; -1: /dev/null */
	int keep[SATELLITE_KEEP_MAX]; /* further descriptors it inherits under their own numbers */
	unsigned int nkeep;
	bool new_group;        /* a process group of its own, for signals to the whole job */
	uint64_t memory_bytes; /* RLIMIT_DATA; 0: unlimited */
	uint64_t cpu_seconds;  /* RLIMIT_CPU; 0: unlimited */
};

struct satellite_ops {
	const char *name;

	/* Whether and how programs of isa run here. Never fails: unavailable says why. */
	void (*probe)(enum isa isa, struct satellite_info *info);

	/* Starts the half as a child of the caller; it gets SIGKILL when the calling thread ends.
	 * *pid is its process id and, with new_group, its group. When this returns 0 the program
	 * (or its emulator) was executed. */
	int (*start)(const struct satellite_spec *spec, pid_t *pid, struct err *e);
};

extern const struct satellite_ops satellite_process;

/* The back end called name, or NULL. */
const struct satellite_ops *satellite_find(const char *name);

const char *satellite_mode_name(enum satellite_mode m);

#endif
