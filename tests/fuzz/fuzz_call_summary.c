/* The parser of call summaries, the decision made of what it accepts, and making one of two. */
#include <stdint.h>
#include <string.h>

#include "binaries/link/migrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = {.max = 1u << 24}, never = {.max = 1u << 24};
	size_t half = size / 2;
	struct err e = ERR_INIT;
	struct summary s;

	if (summary_parse(&s, (const char *)data, size, &e) == 0) {
		const struct migrate_module m = {"m000", &s};

		migrate_decide(&m, 1, &out, &e);
		buf_free(&out);
		summary_free(&s);
	}
	if (!memchr(data, '\0', size))
		summary_merge((const char *)data, half, (const char *)data + half, size - half, &out,
			      &never, &e);
	buf_free(&out);
	buf_free(&never);
	return 0;
}
