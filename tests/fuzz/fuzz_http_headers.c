/* Header values as anybody may send them: ranges and lists of entity tags. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/http_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t sizes[] = {0, 1, 10, 1000000, UINT64_MAX / 2};
	char text[4096];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t from = 0, len = 0;
		int r = http_parse_range(text, sizes[i], &from, &len);

		/* What is served lies within what there is. */
		if (r == 1 && (!len || from >= sizes[i] || len > sizes[i] - from))
			abort();
		if (r != 0 && r != 1 && r != -ERANGE)
			abort();
	}
	/* A tag is named by itself in quotes, or by a star. */
	if (http_names_tag(text, "0123456789abcdef") && !strchr(text, '*') &&
	    !strstr(text, "\"0123456789abcdef\""))
		abort();
	return 0;
}
