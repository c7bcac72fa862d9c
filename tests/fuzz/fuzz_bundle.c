/* The reader of bundles and what users of it read next: the state table. */
#include <stdint.h>

#include "binaries/bundle/bundle.h"
#include "binaries/bundle/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct transform t;
	struct bundle *b;

	if (bundle_open_data(data, size, "input", &b, &e) < 0)
		return 0;
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		size_t len;
		const char *text = bundle_transform(b, (enum isa)isa, &len);

		if (text && transform_parse(&t, text, len, &e) == 0)
			transform_free(&t);
	}
	bundle_free(b);
	return 0;
}
