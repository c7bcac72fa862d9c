/* The parser of .state_transform: what it accepts lies within its own arrays. */
#include <stdint.h>
#include <stdlib.h>

#include "binaries/bundle/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct transform t;

	if (transform_parse(&t, (const char *)data, size, &e) < 0)
		return 0;
	for (size_t i = 0; i < t.nfns; i++) {
		const struct transform_fn *f = &t.fns[i];

		if (f->first_site + f->nsites > t.nsites)
			abort();
		for (size_t k = f->first_site; k < f->first_site + f->nsites; k++)
			if (t.sites[k].first_value + t.sites[k].nvalues > t.nvalues)
				abort();
	}
	transform_free(&t);
	return 0;
}
