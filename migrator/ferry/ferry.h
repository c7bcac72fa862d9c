/*
 * A ferry: one job attempt's supervisor on one node (docs/formats/ferry.md).
 *
 * The main thread owns the process, the socket and the status. A worker thread
 * carries an image in or out, and hands its result over when it has ended.
 *
 * Invariants: a frozen process runs on only by `abort`, a loaded one runs only by
 * `go`; commands of a lower epoch are refused; status.json is final before the
 * ferry ends.
 */
#ifndef DROVER_FERRY_FERRY_H
#define DROVER_FERRY_FERRY_H

#include <pthread.h>
#include <stdatomic.h>

#include "migrator/ferry/handoff.h"
#include "migrator/ferry/here.h"
#include "migrator/ferry/serve.h"
#include "migrator/ferry/spec.h"
#include "migrator/image/state_image.h"
#include "migrator/process/process.h"

/* What the worker is given and gives back. */
struct worker {
	pthread_t thread;
	bool running; /* started and not joined */
	int done_fd;  /* eventfd: the worker has ended */
	atomic_bool stop;
	bool receives;
	int here_fd; /* of the passage of here.h: receiver: listens; sender: connected, or -1 */
	/* sender */
	char endpoint[128];
	struct handoff_offer offer;
	int image_fd; /* sender: borrowed; receiver: result, owned */
	struct handoff_verdict verdict;
	/* receiver */
	struct transport_listener *listener;
	struct handoff_offer got;
	struct descriptors given;
	uint64_t max_image_bytes, transfer_us;
	const char *image_dir;
	struct transport_conn *conn;
	/* result */
	int code;
	struct err err;
};

struct ferry {
	const char *dir;
	struct spec spec;
	struct ferry_status status;
	struct server *server;
	struct process *proc;
	struct image_program image;            /* receiver: what the image must agree with */
	int half_fd, stdin_fd, log_fd, out_fd; /* out_fd: read end of the job's output */
	struct worker worker;
	struct transport_conn *late;    /* to or from the other ferry, for signals that come late */
	uint64_t cpu_before[ISA_COUNT]; /* before it came here */
	uint64_t next_epoch;            /* of the migration out of here */
	char endpoint[128], secret[65]; /* of the receiver */
	uint64_t load_begun_ns;
	bool abort_on_capture; /* the migration it was asked for has been aborted */
	bool going;            /* told to go, has not said that it runs */
	bool aborting;         /* told to run on, has not said that it does */
	bool releasing;        /* told to end */
	uint64_t release_ns;   /* when */
};

/* Opens the bundle, starts the process or the receiver; status is set. */
int ferry_begin(struct ferry *f, struct err *e);
/* Until the status is final. */
int ferry_loop(struct ferry *f, struct err *e);
void ferry_end(struct ferry *f);

/* ---- between the files of this module ---- */

/* A change that everyone is to see: status.json, then the clients. */
void ferry_publish(struct ferry *f);
/* The end. reason may be NULL. */
void ferry_finish(struct ferry *f, enum ferry_state state, const char *reason);
void ferry_fail_migration(struct ferry *f, const char *reason);
/* Starts the process; image_in -1: from the beginning. */
int ferry_start_process(struct ferry *f, int image_in, struct err *e);
/* Whatever the process has written goes to the log. */
void ferry_drain(struct ferry *f);
void ferry_count_cpu(struct ferry *f);

serve_handler ferry_command_handler; /* commands.c; arg is the ferry */
void ferry_process_event(struct ferry *f, const struct process_event *ev); /* events.c */
int ferry_start_sender(struct ferry *f, struct err *e);                    /* carry.c */
int ferry_start_receiver(struct ferry *f, struct err *e);
void ferry_worker_done(struct ferry *f);
/* Gives it a moment to end by itself. */
void ferry_await_worker(struct ferry *f);
void ferry_stop_worker(struct ferry *f);
/* A signal that came to the frozen process goes to the other ferry, and comes from it. */
void ferry_send_late(struct ferry *f, const uint64_t a[4]);
void ferry_take_late(struct ferry *f);
void ferry_close_late(struct ferry *f);
/* Closes the passage and what came through it. */
void ferry_close_passage(struct ferry *f);

#endif
