/* A replay's request, with its cluster, may be any JSON; what is accepted names policies and
 * machines. */
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "scheduler/replay/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_t *doc = NULL;
	struct request r;

	if (json_parse((const char *)data, size, 1u << 20, "replay", &doc, NULL) ||
	    request_parse(doc, &r, NULL))
		return 0;
	if (!r.nruns || !r.machines.nnodes || !r.trace_name + !r.trace_text + !r.trace_upload != 2)
		__builtin_trap();
	request_free(&r);
	return 0;
}
