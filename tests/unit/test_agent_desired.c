/* The agent's reading of the desired state: all fields taken, every breach refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/desired.h"

#define SHA      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define JOB_HEAD "\"id\":\"17\",\"attempt\":2,\"epoch\":3,\"bundle\":\"" SHA "\""

static int parse(const char *job, struct desired *d, struct err *e)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "{\"version\":1,\"scheduler_epoch\":5,\"revision\":9,\"jobs\":[%s]}", job);
	return desired_parse(text, strlen(text), d, e);
}

static void every_field_of_a_job_is_taken(void **state)
{
	struct desired d;
	struct err e = ERR_INIT;

	(void)state;
	if (parse("{" JOB_HEAD ",\"role\":\"source\",\"args\":[\"--class\",\"S\"],\"env\":{\"K\":"
		  "\"V=W\"},\"stdin\":\"in\",\"name\":\"is.S\",\"cpus\":2,\"time_limit_s\":7,"
		  "\"new_field\":1,\"migration\":{\"id\":\"m5\",\"phase\":\"send\",\"endpoint\":"
		  "\"127.0.0.1:4711\",\"secret\":\"ab\",\"next_epoch\":4}}",
		  &d, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(d.scheduler_epoch, 5);
	assert_int_equal(d.revision, 9);
	assert_int_equal(d.njobs, 1);
	assert_string_equal(d.jobs[0].id, "17");
	assert_int_equal(d.jobs[0].attempt, 2);
	assert_int_equal(d.jobs[0].role, ROLE_SOURCE);
	assert_string_equal(d.jobs[0].args[1], "S");
	assert_null(d.jobs[0].args[2]);
	assert_string_equal(d.jobs[0].env[0], "K=V=W");
	assert_string_equal(d.jobs[0].stdin_text, "in");
	assert_int_equal(d.jobs[0].mig.phase, PHASE_SEND);
	assert_int_equal(d.jobs[0].mig.next_epoch, 4);
	assert_string_equal(d.jobs[0].mig.endpoint, "127.0.0.1:4711");
	desired_free(&d);
}

static void a_breach_is_refused_with_the_path_of_the_field(void **state)
{
	static const struct {
		const char *job, *says;
	} cases[] = {
		{"7", "jobs[0]"},
		{"{" JOB_HEAD "}", "role"},
		{"{" JOB_HEAD ",\"role\":\"walk\"}", "role"},
		{"{" JOB_HEAD ",\"role\":\"source\"}", "migration"},
		{"{" JOB_HEAD ",\"role\":\"run\",\"args\":[1]}", "args"},
		{"{" JOB_HEAD ",\"role\":\"run\",\"env\":{\"A=B\":\"x\"}}", "env"},
		{"{\"id\":\"../1\",\"attempt\":1,\"epoch\":1,\"role\":\"run\",\"bundle\":\"" SHA
		 "\"}",
		 "id"},
		{"{\"id\":\"1\",\"attempt\":1,\"epoch\":1,\"role\":\"run\",\"bundle\":\"../../x\"}",
		 "bundle"},
		{"{\"id\":\"1\",\"attempt\":0,\"epoch\":1,\"role\":\"run\",\"bundle\":\"" SHA "\"}",
		 "attempt"},
		{"{" JOB_HEAD
		 ",\"role\":\"source\",\"migration\":{\"id\":\"m5\",\"phase\":\"send\"}}",
		 "endpoint"},
		{"{" JOB_HEAD ",\"role\":\"destination\",\"migration\":{\"id\":\"m5\",\"phase\":"
		 "\"prepare\",\"next_epoch\":3}}",
		 "next_epoch"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct desired d;
		struct err e = ERR_INIT;

		assert_int_equal(parse(cases[i].job, &d, &e), -EINVAL);
		if (!strstr(e.msg, cases[i].says))
			fail_msg("case %zu: '%s' does not name %s", i, e.msg, cases[i].says);
	}
}

static void another_version_is_refused(void **state)
{
	static const char text[] =
		"{\"version\":2,\"scheduler_epoch\":5,\"revision\":9,\"jobs\":[]}";
	struct desired d;

	(void)state;
	assert_int_equal(desired_parse(text, strlen(text), &d, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_job_is_taken),
		cmocka_unit_test(a_breach_is_refused_with_the_path_of_the_field),
		cmocka_unit_test(another_version_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
