/*
 * Plays a supervised process for test_process: speaks the control protocol well or
 * badly, as its first argument says.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrator/process/descriptors.h"

static int ctl = -1;

static void say(uint32_t type, uint64_t a0, const char *text)
{
	struct drover_control m = {.magic = DROVER_CONTROL_MAGIC,
				   .type = type,
				   .version = DROVER_CONTROL_VERSION,
				   .a = {a0, 2, 3, 4, 5, 6}};

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	if (send(ctl, &m, sizeof(m), 0) != (ssize_t)sizeof(m))
		exit(90);
}

static uint32_t hear(void)
{
	struct drover_control m;
	ssize_t n;

	do
		n = recv(ctl, &m, sizeof(m), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(m) ? m.type : 0;
}

static void on_request(int sig)
{
	(void)sig;
}

/* A capture, then whatever the supervisor decides. */
static int migrate(void)
{
	FILE *image = fdopen(atoi(getenv(DROVER_ENV_IMAGE_OUT)), "w");

	(void)signal(DROVER_CONTROL_SIGNAL, on_request);
	say(DROVER_MSG_HELLO, 0, "");
	if (hear() != DROVER_MSG_MIGRATE)
		return 91;
	say(DROVER_MSG_DEFERRED, 0, "not here\n");
	(void)fputs("state", image);
	(void)fflush(image);
	say(DROVER_MSG_CAPTURED, 5, "");
	switch (hear()) {
	case DROVER_MSG_COMMIT:
		return 7;
	case DROVER_MSG_ABORT:
		say(DROVER_MSG_RESUMED, 0, "");
		say(DROVER_MSG_POINTS, 11, "");
		return 8;
	default:
		return 92;
	}
}

static int load(void)
{
	char text[8] = "";

	if (pread(atoi(getenv(DROVER_ENV_IMAGE_IN)), text, 5, 0) != 5 || strcmp(text, "state") != 0)
		return 93;
	say(DROVER_MSG_HELLO, 0, "");
	say(DROVER_MSG_LOADED, 5, "");
	if (hear() != DROVER_MSG_GO)
		return 94;
	say(DROVER_MSG_RESUMED, 0, "");
	return 9;
}

/* Gives the reading end of a pipe with a word in it, and says that it gave `said`. */
static int give(uint64_t said)
{
	struct drover_control m = {.magic = DROVER_CONTROL_MAGIC,
				   .type = DROVER_MSG_GIVES,
				   .version = DROVER_CONTROL_VERSION,
				   .a = {1}};
	int ends[2];

	(void)signal(DROVER_CONTROL_SIGNAL, on_request);
	say(DROVER_MSG_HELLO, 0, "");
	if (hear() != DROVER_MSG_MIGRATE || pipe(ends) || write(ends[1], "word", 4) != 4 ||
	    descriptors_send(ctl, &m, sizeof(m), &ends[0], 1, 0))
		return 97;
	m.type = DROVER_MSG_CAPTURED;
	m.a[7] = said;
	if (send(ctl, &m, sizeof(m), 0) != (ssize_t)sizeof(m))
		return 97;
	return hear() == DROVER_MSG_COMMIT ? 0 : 97;
}

static int take(void)
{
	struct descriptors d = {0};
	struct drover_control m;
	char word[5] = "";

	say(DROVER_MSG_HELLO, 0, "");
	if (descriptors_recv(ctl, &m, sizeof(m), &d, 0) != (ssize_t)sizeof(m) ||
	    m.type != DROVER_MSG_TAKE || m.a[0] != 1 || d.n != 1)
		return 98;
	if (read(d.fds[0], word, 4) != 4 || strcmp(word, "word") != 0)
		return 98;
	descriptors_drop(&d);
	return 0;
}

/* argv: mode */
int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "", *fd = getenv(DROVER_ENV_CTL);

	if (!fd)
		return 95;
	ctl = atoi(fd);
	if (!strcmp(mode, "migrate"))
		return migrate();
	if (!strcmp(mode, "load"))
		return load();
	if (!strcmp(mode, "give"))
		return give(1);
	if (!strcmp(mode, "give-less"))
		return give(2);
	if (!strcmp(mode, "take"))
		return take();
	if (!strcmp(mode, "plan"))
		return getenv(DROVER_ENV_PLAN) && !strcmp(getenv(DROVER_ENV_PLAN), "5:6") ? 0 : 1;
	if (!strcmp(mode, "garbage"))
		return send(ctl, "garbage", 7, 0) == 7 ? 0 : 1;
	if (!strcmp(mode, "out-of-turn")) {
		say(DROVER_MSG_LOADED, 0, "");
		return 0;
	}
	if (!strcmp(mode, "descriptors")) {
		/* Nothing but the standard streams and what the protocol gives. */
		for (int i = 3; i < 1024; i++)
			if (i != ctl && i != atoi(getenv(DROVER_ENV_IMAGE_OUT)) && fsync(i) < 0 &&
			    errno == EBADF)
				continue;
			else if (i != ctl && i != atoi(getenv(DROVER_ENV_IMAGE_OUT)))
				return 1;
		return 0;
	}
	if (!strcmp(mode, "wait"))
		for (;;)
			(void)pause();
	return 96;
}
