/*
 * The environment of a supervised process: the job's own, without control variables, and ours
 * behind it (docs/formats/control.md, "At start").
 */
#ifndef DROVER_PROCESS_ENVIRONMENT_H
#define DROVER_PROCESS_ENVIRONMENT_H

#include "migrator/process/process.h"

/* envp points into the rest and into the job's; the caller frees envp alone. */
struct environment {
	const char **envp;
	char ctl[32], out[32], in[32], plan[96];
};

/* ctl and image are the child's numbers of the control socket and of the file for its image. 0 or a
 * negative errno; env->envp is the caller's in any case. */
int environment_make(const struct process_spec *s, int ctl, int image, struct environment *env);

#endif
