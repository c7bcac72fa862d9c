/* What users send: jobs, migration requests, policies. */
#include <stdint.h>
#include <stdlib.h>

#include "scheduler/api/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char node[CORE_NAME_MAX], reason[CORE_REASON_MAX];
	const struct policy *p = NULL;
	struct policy_options o;
	struct job_spec spec;
	struct err e = ERR_INIT;

	if (!parse_job((const char *)data, size, &spec, &e)) {
		if (!spec.cpus || !spec.isas || !spec.launch || !parse_name_ok(spec.user))
			abort();
		job_spec_free(&spec);
	} else if (!e.msg[0]) {
		abort();
	}
	(void)parse_migrate((const char *)data, size, node, reason, &e);
	if (!parse_policy((const char *)data, size, &p, &o, &e) && !p)
		abort();
	return 0;
}
