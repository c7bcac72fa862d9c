#include "common/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	enum fault_action action;
} actions[] = {
	{"kill", FAULT_KILL},
	{"error", FAULT_ERROR},
	{"stop", FAULT_STOP},
};

static enum fault_action parse_action(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strlen(actions[i].name) == len && !memcmp(actions[i].name, s, len))
			return actions[i].action;
	return FAULT_NONE;
}

enum fault_action fault_lookup(const char *spec, const char *name)
{
	size_t want = strlen(name);

	while (spec && *spec) {
		size_t item = strcspn(spec, ",");
		const char *colon = memchr(spec, ':', item);
		size_t len = colon ? (size_t)(colon - spec) : item;

		if (len == want && !memcmp(spec, name, len))
			return colon ? parse_action(colon + 1, item - len - 1) : FAULT_KILL;
		spec += item;
		spec += *spec == ',';
	}
	return FAULT_NONE;
}

static void note(const char *name)
{
	const char *path = getenv("DROVER_FAULT_LOG");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	(void)dprintf(fd, "%s %d\n", name, (int)getpid());
	close(fd);
}

int fault_point(const char *name)
{
	enum fault_action action = fault_lookup(getenv("DROVER_FAULT"), name);

	if (action != FAULT_NONE)
		note(name);
	switch (action) {
	case FAULT_KILL:
		(void)raise(SIGKILL);
		break;
	case FAULT_STOP:
		(void)raise(SIGSTOP);
		break;
	case FAULT_ERROR:
		return -EIO;
	case FAULT_NONE:
		break;
	}
	return 0;
}
