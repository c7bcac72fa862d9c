/* The reader of trace files takes any bytes; what it accepts can be written again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/waves/waves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wave_trace t;
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	if (wave_read((const char *)data, size, &t, NULL) < 0)
		return 0;
	f = open_memstream(&text, &len);
	if (f) {
		if (wave_write_jsonl(&t, f, NULL) < 0)
			__builtin_trap();
		fclose(f);
		free(text);
	}
	wave_trace_free(&t);
	return 0;
}
