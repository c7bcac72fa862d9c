/* The parser of call summaries, and the decision made of what it accepts. */
#include <stdint.h>

#include "binaries/link/migrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = {.max = 1u << 24};
	struct err e = ERR_INIT;
	struct summary s;

	if (summary_parse(&s, (const char *)data, size, &e) == 0) {
		const struct migrate_module m = {"m000", &s};

		migrate_decide(&m, 1, &out, &e);
		buf_free(&out);
		summary_free(&s);
	}
	return 0;
}
