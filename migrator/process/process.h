/*
 * One job process under control: a half of a bundle running in a satellite,
 * and the control socket to its runtime (docs/formats/control.md).
 *
 * Single-threaded use; the thread that starts a process must live as long as it
 * (the kernel ends the process when that thread ends). Nothing the process says
 * is trusted: a message that is malformed or out of turn is an event of its
 * own (PROCESS_PROTOCOL), after which the caller should end the process.
 */
#ifndef DROVER_PROCESS_H
#define DROVER_PROCESS_H

#include "common/err.h"
#include "common/isa.h"
#include "kernels/satellite.h"
#include "migrator/include/control.h"
#include "migrator/process/descriptors.h"

struct process;

struct process_spec {
	const struct satellite_ops *satellite;
	enum isa isa;
	int exe_fd;              /* the half */
	const char *const *argv; /* argv[0] included; NULL-terminated */
	const char *const *envp; /* NULL-terminated; the control variables are added */
	const char *cwd;
	const char *image_dir; /* where the state image is written; NULL: to a memory file */
	bool in_place;         /* the images of all moves stay in one file, each page at its address
				  (docs/formats/image.md, section 7) */
	const struct process *before; /* with in_place: whose file it is; NULL: a new one */
	int stdio[3];                 /* -1: /dev/null */
	bool new_group;
	uint64_t memory_bytes, cpu_seconds; /* 0: unlimited */
	int image_in;     /* -1: run from the beginning; else load this image and wait for GO */
	const char *plan; /* value of DROVER_PLAN, or NULL */
	bool here;        /* captures by the plan are for this kernel and network */
	const struct descriptors *given; /* what image_in's process has handed over, or NULL */
};

enum process_event_type {
	PROCESS_HELLO,
	PROCESS_CAPTURED,
	PROCESS_DEFERRED,
	PROCESS_REFUSED,
	PROCESS_LOADED,
	PROCESS_RESUMED,
	PROCESS_POINTS,
	PROCESS_LATE,     /* after its commit: a signal that came since the capture */
	PROCESS_EXITED,   /* the last one; wait_status holds */
	PROCESS_PROTOCOL, /* it broke the protocol: text says how */
};

struct process_event {
	enum process_event_type type;
	uint64_t a[8];  /* as docs/formats/control.md says for the message */
	char text[168]; /* printable */
	int wait_status;
};

/* Which side of main the process is on, from what it said and was told. */
enum process_phase {
	PROCESS_STARTED,
	PROCESS_LOADING,
	PROCESS_READY,
	PROCESS_RUNNING,
	PROCESS_FROZEN,
	PROCESS_ENDING
};

int process_start(const struct process_spec *spec, struct process **out, struct err *e);

/* Kills it if it lives (with its group, if it has one), reaps it, and closes everything. NULL-safe.
 */
void process_free(struct process *p);

/* Descriptors to poll(2) for POLLIN: messages, and the end of the process. */
int process_fd(const struct process *p);
int process_exit_fd(const struct process *p);

/* 1: *ev is the next event. 0: none within timeout_ms (-1: wait; 0: don't). Messages come before
 * PROCESS_EXITED. */
int process_next(struct process *p, int timeout_ms, struct process_event *ev, struct err *e);

/* Asks for a capture at the next migration point. here: the process that will load the image is
 * of the same kernel and network, so that descriptors can be handed over to it. */
int process_request_capture(struct process *p, bool here, struct err *e);

/* What a frozen process hands over; borrowed, until its commit or abort. */
const struct descriptors *process_given(const struct process *p);

/* COMMIT, ABORT (both only when frozen), GO (only when loaded); -EINVAL in another phase. */
int process_commit(struct process *p, struct err *e);
int process_abort(struct process *p, struct err *e);
int process_go(struct process *p, struct err *e);

/* What PROCESS_LATE said of a signal (a[0] to a[3]), to the process that goes on. It must be
 * loaded, or run. */
int process_pass_signal(struct process *p, const uint64_t a[4], struct err *e);

/* A request that had to wait is looked at again, even if the program sleeps. */
void process_remind(struct process *p);

/* Sends a signal to the process, or with new_group to its group. */
int process_signal(struct process *p, int sig);

/* The memory file it writes its image to; valid when captured; borrowed. */
int process_image_fd(const struct process *p);

pid_t process_pid(const struct process *p);
enum isa process_isa(const struct process *p);
enum process_phase process_phase(const struct process *p);

/* CPU time used so far, user and system, with ended children; after the end, all of it. */
uint64_t process_cpu_ns(const struct process *p);

/* Checks one record from a process: length, magic, version, a type that the runtime may send,
 * terminated text. Pure. Makes text printable in *out. 0 or -EPROTO. */
int control_check(const void *data, size_t len, struct drover_control *out, struct err *e);

/* Whether a process in this phase that loads an image (or not) may send this type. Pure. */
bool control_in_turn(enum process_phase phase, uint32_t type);

#endif
