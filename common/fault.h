/*
 * Named fault points, armed from the environment by tests.
 *
 *	DROVER_FAULT=ferry.after-prepare		SIGKILL to itself there
 *	DROVER_FAULT=ferry.after-prepare:error		the step fails with -EIO
 *	DROVER_FAULT=ferry.after-prepare:stop		SIGSTOP to itself there
 *
 * Several are separated by commas. Names are "<program>.<step>"; those of the ferry are listed in
 * docs/formats/ferry.md, and `tests/cluster/kill-matrix --list` prints all there are. With
 * DROVER_FAULT_LOG=FILE each one that takes effect appends "NAME PID" to FILE
 * first, so that a test knows it was reached.
 */
#ifndef DROVER_COMMON_FAULT_H
#define DROVER_COMMON_FAULT_H

enum fault_action { FAULT_NONE, FAULT_KILL, FAULT_ERROR, FAULT_STOP };

/* 0, or -EIO when armed with ":error". Doesn't return when armed with ":kill" (the default). */
int fault_point(const char *name);

/* What spec (the value of DROVER_FAULT, may be NULL) says about name. Pure. */
enum fault_action fault_lookup(const char *spec, const char *name);

#endif
