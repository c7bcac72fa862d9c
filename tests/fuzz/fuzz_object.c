/* The reader of multi-ISA objects. */
#include <stdint.h>

#include "binaries/object/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct object o;

	if (object_is(data, size) && object_read(&o, data, size, "input", &e) == 0)
		object_free(&o);
	return 0;
}
