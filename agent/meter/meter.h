/*
 * Energy meters: one file each behind one table.
 *
 * A meter is read at intervals and says how much energy its scope used since the
 * last reading, how much of that is the idle machine's, and for how much of the
 * time it does not know (gap). What it doesn't know it never invents. Every
 * reading carries the meter's source, scope and kind.
 *
 * A meter is used by one thread.
 */
#ifndef DROVER_AGENT_METER_H
#define DROVER_AGENT_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/meter/channel.h"
#include "agent/meter/profile.h"
#include "common/err.h"

#define METERS_MAX 8

struct meter_config {
	const struct profile *profile; /* borrowed for the meter's life */
	const char *sysfs_root;        /* NULL: /sys */
	const char *powercap_root;     /* NULL: class/powercap below sysfs_root */
	unsigned int sample_ms;        /* time between readings as planned; 0: 1000 */
};

/* What a meter is told at each reading. */
struct meter_input {
	uint64_t now_ns;       /* CLOCK_MONOTONIC */
	uint64_t busy_cpu_us;  /* CPU time used by jobs and system since the last reading */
	uint64_t suspended_ms; /* of the time since then the machine slept, which now_ns leaves out
				*/
};

struct meter_delta {
	uint64_t energy_uj;
	uint64_t idle_uj;
	uint64_t gap_ms; /* part of the interval for which (part of) the energy is not known */
};

struct meter;

struct meter_ops {
	const char *type; /* as given to --meter; what follows a ':' there is the argument */
	const char *summary;
	/* The CPU time of the whole machine is to be shared out, not only that of jobs and agent.
	 */
	bool whole_machine;
	/* argument: behind "TYPE:", or NULL. Fills name, source, scope, kind and priv. */
	int (*open)(struct meter *m, const struct meter_config *c, const char *argument,
		    struct err *e);
	/* 1: *d filled; 0: this was the first reading; negative errno: nothing readable now. */
	int (*read)(struct meter *m, const struct meter_input *in, struct meter_delta *d,
		    struct err *e);
	void (*close)(struct meter *m);
};

struct meter {
	const struct meter_ops *ops;
	char name[64];
	char source[16];            /* rapl, hwmon, scmi, model */
	char scope[16];             /* package, package+dram, platform, soc, node */
	char kind[16];              /* measured, integrated or modelled */
	struct channels *channels;  /* what it reads; NULL: nothing (the model) */
	uint64_t idle_uw, least_uw; /* the profile's idle power; the least power seen so far */
	uint64_t last_ns;           /* 0: not read yet */
	void *priv;
};

extern const struct meter_ops meter_powercap;
extern const struct meter_ops meter_powercap_psys;
extern const struct meter_ops meter_hwmon;
extern const struct meter_ops meter_scmi;
extern const struct meter_ops meter_model;

/* All of them, in the order in which "auto" prefers them; NULL-terminated. */
extern const struct meter_ops *const meter_types[];

/*
 * Opens the meter of that type. "auto" takes the first of the table that can be
 * read, at last the model; modelled_only (an emulated node) always takes the
 * model and refuses any other. The meter is closed by meter_close.
 */
int meter_open(const char *type, bool modelled_only, const struct meter_config *c, struct meter **m,
	       struct err *e);

/*
 * Opens what else this machine can be measured by, beside first: at most max
 * meters. They overlap first's scope and are never added to it. Returns how many.
 */
size_t meter_open_apart(const struct meter *first, const struct meter_config *c, struct meter **v,
			size_t max);

/*
 * Reads it. The idle share of what a counter or sensor shows is not known to it:
 * it is the profile's idle power, at most the least power the meter ever showed.
 */
int meter_read(struct meter *m, const struct meter_input *in, struct meter_delta *d, struct err *e);
void meter_close(struct meter *m);

#endif
