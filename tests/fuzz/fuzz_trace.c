/* The reader of traces takes any bytes; what it accepts is in order and within its limits. */
#include <stddef.h>
#include <stdint.h>

#include "scheduler/replay/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace t;

	if (trace_read((const char *)data, size, TRACE_AUTO, &t, NULL))
		return 0;
	for (size_t i = 0; i < t.njobs; i++) {
		const struct trace_job *j = &t.jobs[i];

		if (!j->cpus || j->cpus > TRACE_MAX_CPUS || j->preceding > i ||
		    (i && j->submit_ms < j[-1].submit_ms) ||
		    !(j->run_s >= 0 && j->run_s <= TRACE_MAX_TIME))
			__builtin_trap();
	}
	trace_free(&t);
	return 0;
}
