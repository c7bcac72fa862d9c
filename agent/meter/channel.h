/*
 * Channels: the sysfs attributes that a meter adds up. Each is an energy counter
 * in microjoules or a power sensor in microwatts; both come out as energy between
 * two readings.
 *
 * A counter that wraps at a known range goes on; one that goes backward without a
 * known range, that cannot be read, was away, or may have wrapped more than once
 * makes its interval a gap. A power sensor is integrated over the monotonic clock
 * by the trapezoidal rule; of an interval longer than cap_ns only that much is
 * integrated and the rest is a gap. No energy is ever guessed.
 */
#ifndef DROVER_AGENT_METER_CHANNEL_H
#define DROVER_AGENT_METER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define CHANNELS_MAX 64

struct channel {
	char path[512]; /* of the attribute */
	char name[64];  /* as shown */
	bool power;
	uint64_t range_uj; /* of a counter; 0: not known */
	uint64_t last;     /* reading before, uJ or uW */
	uint64_t last_ns;  /* 0: no base to go on from */
	uint64_t rem;      /* of a sensor: uW*ns below one uJ, carried over */
	bool lost;         /* said so already */
};

struct channels {
	struct channel v[CHANNELS_MAX];
	size_t n;
	uint64_t cap_ns;
	uint64_t last_ns; /* of the last reading of all; 0: none */
};

/* Appends one; false when there is no room (and says so). */
bool channels_add(struct channels *c, const struct channel *one);

/* Reads each once: what root alone may read fails here, at the start. */
int channels_check(const struct channels *c, struct err *e);

/* The machine slept: counters may have begun anew, so there is no base to go on from. */
void channels_forget(struct channels *c);

/*
 * Reads all: 1 and the energy since the last reading, with the time for which some
 * of it is not known; 0: this was the first; -ENODATA: nothing could be read.
 */
int channels_read(struct channels *c, uint64_t now_ns, uint64_t *energy_uj, uint64_t *gap_ms,
		  struct err *e);

/* ---- pure parts --------------------------------------------------------- */

/* A decimal number, possibly followed by a newline; -EINVAL for anything else. */
int channel_parse_u64(const char *text, size_t len, uint64_t *out);

/*
 * Energy between two readings of a counter that wraps at range_uj (0: not known).
 * -ERANGE when it can't be known: too long between them, a last reading above the
 * range, backward without a range, or more than any machine draws.
 */
int channel_advance(uint64_t last_uj, uint64_t now_uj, uint64_t range_uj, uint64_t elapsed_ns,
		    uint64_t *delta_uj);

/*
 * Energy of a sensor over elapsed_ns, integrated over at most cap_ns of it; *rem
 * carries what is below a microjoule. *gap_ns is what was not integrated.
 */
uint64_t channel_integrate(uint64_t last_uw, uint64_t now_uw, uint64_t elapsed_ns, uint64_t cap_ns,
			   uint64_t *rem, uint64_t *gap_ns);

/* ---- sysfs -------------------------------------------------------------- */

/* The first line of dir/file. -EACCES comes with what to do about it. */
int sysfs_text(const char *dir, const char *file, char *out, size_t size, struct err *e);
/* A number that is all there is in path, or in dir/file. */
int sysfs_number(const char *path, uint64_t *out, struct err *e);
int sysfs_u64(const char *dir, const char *file, uint64_t *out, struct err *e);

/* Entries of a directory that do not begin with '.', by name (n2 before n10); the caller frees each
 * and the list. Negative errno. */
int sysfs_list(const char *dir, char ***names, struct err *e);
void sysfs_list_free(char **names);

#endif
