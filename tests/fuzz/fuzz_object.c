/* The readers of multi-ISA objects and of the list a shared library begins with. */
#include <stdint.h>

#include "binaries/object/object.h"
#include "binaries/object/shared.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct strv needed = {0};
	struct object_part text;
	struct object o;

	if (object_is(data, size) && object_read(&o, data, size, "input", &e) == 0)
		object_free(&o);
	if (object_needed(data, size, &text))
		shared_parse(&needed, text.data, text.len, "input", &e);
	strv_free(&needed);
	return 0;
}
