/*
 * Checks of what a runtime says; docs/formats/control.md, "Messages".
 */
#include <errno.h>
#include <string.h>
#include "migrator/process/process.h"

int control_check(const void *data, size_t len, struct drover_control *out, struct err *e)
{
	if (len != sizeof(*out))
		return err_set(e, -EPROTO, "control message of %zu bytes, expected %zu", len,
			       sizeof(*out));
	memcpy(out, data, sizeof(*out));
	if (out->magic != DROVER_CONTROL_MAGIC)
		return err_set(e, -EPROTO, "control message with wrong magic 0x%08x", out->magic);
	if (out->version != DROVER_CONTROL_VERSION)
		return err_set(e, -EPROTO, "control message of version %u, expected %u",
			       out->version, DROVER_CONTROL_VERSION);
	if (out->type < DROVER_MSG_HELLO || out->type > DROVER_MSG_GIVES)
		return err_set(e, -EPROTO, "control message of unknown type %u", out->type);
	if (!memchr(out->text, '\0', sizeof(out->text)))
		return err_set(e, -EPROTO, "control message with unterminated text");
	for (char *c = out->text; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	return 0;
}

bool control_in_turn(enum process_phase phase, uint32_t type)
{
	switch (type) {
	case DROVER_MSG_HELLO:
		return phase == PROCESS_STARTED;
	case DROVER_MSG_CAPTURED:
	case DROVER_MSG_DEFERRED:
	case DROVER_MSG_GIVES:
		return phase == PROCESS_RUNNING;
	case DROVER_MSG_REFUSED:
		return phase == PROCESS_RUNNING || phase == PROCESS_LOADING ||
		       phase == PROCESS_STARTED;
	case DROVER_MSG_LOADED:
		return phase == PROCESS_LOADING;
	case DROVER_MSG_RESUMED:
	case DROVER_MSG_POINTS:
		return phase == PROCESS_RUNNING;
	case DROVER_MSG_LATE:
		return phase == PROCESS_ENDING;
	default:
		return false;
	}
}
