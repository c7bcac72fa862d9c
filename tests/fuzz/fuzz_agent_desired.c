/* The desired state parser takes any bytes; what it accepts is within its bounds. */
#include <stdint.h>
#include <string.h>

#include "agent/desired.h"
#include "agent/reconcile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct desired d;
	struct action *out;

	if (desired_parse((const char *)data, size, &d, NULL))
		return 0;
	for (size_t i = 0; i < d.njobs; i++)
		if (strlen(d.jobs[i].bundle) != 64 || strchr(d.jobs[i].id, '/') || !d.jobs[i].id[0])
			__builtin_trap();
	out = calloc(d.njobs + 1, sizeof(*out));
	if (out && reconcile(d.jobs, d.njobs, NULL, 0, 1, out) > d.njobs)
		__builtin_trap();
	free(out);
	desired_free(&d);
	return 0;
}
