/* What users send: jobs, migration requests, policies, baselines. */
#include <stdint.h>
#include <stdlib.h>

#include "scheduler/api/parse.h"
#include "scheduler/api/savings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char node[CORE_NAME_MAX], reason[CORE_REASON_MAX];
	const struct policy *p = NULL;
	struct policy_options o;
	struct err_fields fields = {0};
	struct job_spec spec, *specs;
	struct baseline baseline;
	struct err e = ERR_INIT;
	bool bulk;
	size_t n;

	if (!parse_job((const char *)data, size, &spec, &e)) {
		if (!spec.cpus || !spec.isas || !spec.launch ||
		    (spec.user[0] && !parse_name_ok(spec.user)))
			abort();
		job_spec_free(&spec);
	} else if (!e.msg[0]) {
		abort();
	}
	/* The same with a list of all that is wrong, and in bulk. */
	err_clear(&e);
	e.fields = &fields;
	if (parse_jobs((const char *)data, size, &specs, &n, &bulk, &e) && !e.msg[0])
		abort();
	for (size_t i = 0; i < n; i++)
		job_spec_free(&specs[i]);
	free(specs);
	e.fields = NULL;
	(void)parse_migrate((const char *)data, size, node, reason, &e);
	if (!parse_policy((const char *)data, size, &p, &o, &e) && !p)
		abort();
	err_clear(&e);
	if (!baseline_parse((const char *)data, size, &baseline, &e)) {
		if (!baseline.policy != !baseline.cluster)
			abort();
		baseline_free(&baseline);
	} else if (!e.msg[0]) {
		abort();
	}
	return 0;
}
