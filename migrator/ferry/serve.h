/*
 * A ferry's Unix socket: clients that come and go, requests in JSON lines,
 * statuses out (docs/formats/ferry.md, "Socket").
 */
#ifndef DROVER_FERRY_SERVE_H
#define DROVER_FERRY_SERVE_H

#include <poll.h>

#include "migrator/ferry/client.h"

#define SERVE_CLIENTS 16

/* A parsed request; strings are its own. */
struct serve_request {
	uint64_t id, epoch, next_epoch;
	enum ferry_command_type cmd;
	char migration[FERRY_ID_SIZE];
	char endpoint[128];
	char secret[65];
	int signal;
};

/* One line, without the newline. -EINVAL with what is wrong; *id is set if it could be read. Pure.
 */
int serve_parse(const char *line, size_t len, struct serve_request *r, uint64_t *id, struct err *e);

struct server;

/* Listens on dir/socket (mode 0600), replacing a dead one. */
int serve_open(const char *dir, struct server **out, struct err *e);
void serve_close(struct server *s);

/* Fills fds (room for 1 + SERVE_CLIENTS); returns how many. */
size_t serve_fds(const struct server *s, struct pollfd *fds);

/* Takes request: fills a->ok, a->code, a->error, a->hint. */
typedef void serve_handler(void *arg, const struct serve_request *r, struct ferry_answer *a);

/*
 * Accepts, reads and answers whatever fds (as filled before, polled since) say.
 * status is read for answers after each request was handled.
 */
void serve_turn(struct server *s, const struct pollfd *fds, size_t nfds,
		struct ferry_status *status, serve_handler *handle, void *arg);

/* Sends the status to every client. One that does not read is dropped. */
void serve_push(struct server *s, const struct ferry_status *status);

#endif
