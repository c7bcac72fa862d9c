/*
 * How an agent starts and drives ferries (docs/formats/ferry.md).
 *
 *	ferry_spawn() once a job attempt or a hand-over begins here; then
 *	ferry_connect(), also after a restart of the agent; ferry_command() to
 *	send, ferry_next() to read. Every command is answered by a status whose
 *	answer.id is the command's; unasked statuses have answer.id 0.
 *
 * Nothing here blocks longer than said. A client isn't thread-safe.
 */
#ifndef DROVER_FERRY_CLIENT_H
#define DROVER_FERRY_CLIENT_H

#include "migrator/ferry/status.h"

enum ferry_role { FERRY_RUN, FERRY_RECEIVE };

/* All strings are borrowed for the call. */
struct ferry_spec {
	const char *job;
	uint64_t attempt;
	uint64_t epoch; /* the job runs here under this one */
	enum ferry_role role;
	const char *bundle; /* path */
	const char *sha256; /* of the bundle, hex; checked by the ferry */
	enum isa isa;
	const char *name;         /* argv[0] */
	const char *const *args;  /* NULL-terminated, without argv[0]; may be NULL */
	const char *const *env;   /* NULL-terminated "K=V", the whole environment; may be NULL */
	const char *stdin_path;   /* NULL: /dev/null */
	const char *cwd;          /* NULL: the state directory */
	const char *migration;    /* FERRY_RECEIVE */
	const char *listen;       /* FERRY_RECEIVE: "address:port", port 0 for any */
	uint64_t max_image_bytes; /* 0: 64 GiB */
};

enum ferry_command_type {
	FERRY_CMD_STATUS,
	FERRY_CMD_SEND,
	FERRY_CMD_ABORT,
	FERRY_CMD_RELEASE,
	FERRY_CMD_GO,
	FERRY_CMD_CANCEL,
};

struct ferry_command {
	enum ferry_command_type type;
	uint64_t epoch;        /* the scheduler's order is under this epoch */
	const char *migration; /* SEND, ABORT, RELEASE, GO */
	const char *endpoint;  /* SEND: of the receiving ferry's status */
	const char *secret;    /* SEND: the same */
	uint64_t next_epoch;   /* SEND */
	int signal;            /* CANCEL */
};

/* Writes dir/spec.json and starts a ferry in a session of its own, not as a child of the caller.
 * Returns when it listens on its socket (*pid, may be NULL, is its process id), or with its error.
 * dir must exist. At most 10 s. The job's environment is spec->env alone, but DROVER_FAULT of the
 * caller's goes to the ferry. */
int ferry_spawn(const struct ferry_spec *spec, const char *dir, pid_t *pid, struct err *e);

struct ferry_client;

/* -ECONNREFUSED or -ENOENT: there is no living ferry; see ferry_status_read(). */
int ferry_connect(const char *dir, struct ferry_client **out, struct err *e);
void ferry_client_free(struct ferry_client *c);

/* To poll(2) for POLLIN; call ferry_next(c, 0, ...) until it returns 0 then. */
int ferry_client_fd(const struct ferry_client *c);

/* Sends a command; *id (may be NULL) is the number its answer will carry. */
int ferry_command(struct ferry_client *c, const struct ferry_command *cmd, uint64_t *id,
		  struct err *e);

/* 1: *s is the next status. 0: none within timeout_ms (-1: wait). -ECONNRESET: the ferry has gone.
 * Other negative errno: it broke the protocol. */
int ferry_next(struct ferry_client *c, int timeout_ms, struct ferry_status *s, struct err *e);

/* Sends a command and waits for its answer, dropping other statuses. 0, or the answer's own code
 * with its text. */
int ferry_call(struct ferry_client *c, const struct ferry_command *cmd, int timeout_ms,
	       struct ferry_status *s, struct err *e);

/* The last status a ferry wrote to dir/status.json, whether it lives or not. -ENOENT: none yet. */
int ferry_status_read(const char *dir, struct ferry_status *s, struct err *e);

#endif
