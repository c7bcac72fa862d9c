/* What a process says over its control socket: any bytes; an accepted record has printable, ended
 * text. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "migrator/process/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drover_control m;

	if (control_check(data, size, &m, NULL))
		return 0;
	if (m.type < DROVER_MSG_HELLO || m.type > DROVER_MSG_GIVES ||
	    !memchr(m.text, '\0', sizeof(m.text)))
		__builtin_trap();
	for (const char *c = m.text; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			__builtin_trap();
	if (control_in_turn(PROCESS_ENDING, m.type) != (m.type == DROVER_MSG_LATE))
		__builtin_trap();
	return 0;
}
