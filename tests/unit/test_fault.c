/* Fault points and their specification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fault.h"

static void a_name_alone_means_kill(void **state)
{
	(void)state;
	assert_int_equal(fault_lookup("ferry.go", "ferry.go"), FAULT_KILL);
	assert_int_equal(fault_lookup("a.b:error,ferry.go", "ferry.go"), FAULT_KILL);
}

static void names_match_whole(void **state)
{
	(void)state;
	assert_int_equal(fault_lookup("ferry.go", "ferry.g"), FAULT_NONE);
	assert_int_equal(fault_lookup("ferry.go", "ferry.go2"), FAULT_NONE);
	assert_int_equal(fault_lookup("", "ferry.go"), FAULT_NONE);
	assert_int_equal(fault_lookup(NULL, "ferry.go"), FAULT_NONE);
	assert_int_equal(fault_lookup(",,", "ferry.go"), FAULT_NONE);
}

static void actions_are_named(void **state)
{
	(void)state;
	assert_int_equal(fault_lookup("x.y:error", "x.y"), FAULT_ERROR);
	assert_int_equal(fault_lookup("x.y:stop", "x.y"), FAULT_STOP);
	assert_int_equal(fault_lookup("x.y:kill", "x.y"), FAULT_KILL);
	assert_int_equal(fault_lookup("x.y:dance", "x.y"), FAULT_NONE);
}

static void an_armed_error_is_returned_and_others_pass(void **state)
{
	(void)state;
	assert_int_equal(setenv("DROVER_FAULT", "x.y:error", 1), 0);
	assert_int_equal(fault_point("x.y"), -EIO);
	assert_int_equal(fault_point("x.z"), 0);
	assert_int_equal(unsetenv("DROVER_FAULT"), 0);
	assert_int_equal(fault_point("x.y"), 0);
}

static void an_armed_kill_ends_the_process(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(setenv("DROVER_FAULT", "x.y", 1), 0);
	pid = fork();
	if (pid == 0) {
		(void)fault_point("x.y");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(unsetenv("DROVER_FAULT"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_alone_means_kill),
		cmocka_unit_test(names_match_whole),
		cmocka_unit_test(actions_are_named),
		cmocka_unit_test(an_armed_error_is_returned_and_others_pass),
		cmocka_unit_test(an_armed_kill_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
