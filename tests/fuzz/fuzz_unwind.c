/* The readers of unwind tables: the first half of the bytes as .eh_frame, the second as call sites.
 */
#include <stdint.h>
#include <stdlib.h>

#include "binaries/machine/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct loaded frames = {data, size / 2, 0x1000};
	const struct loaded table = {data + size / 2, size - size / 2, 0x9000};
	const struct unwind_fn at_start = {0x400000, 4096, 0x9000};
	struct err err = ERR_INIT;
	struct unwind_fn *fns = NULL;
	struct machine_site *sites;
	size_t n, nsites;

	if (unwind_read(&frames, &fns, &n, &err) == 0)
		for (size_t i = 1; i < n; i++)
			if (fns[i].start < fns[i - 1].start)
				abort();
	free(fns);
	(void)unwind_sites(&table, &at_start, &sites, &nsites, &err);
	free(sites);
	return 0;
}
