/* Where files are looked for, and that an outside string can't forge a log line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "common/paths.h"

static void the_environment_names_the_library_directory(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(setenv("DROVER_LIBDIR", "/some/where", 1), 0);
	assert_int_equal(paths_libdir(path, sizeof(path)), 0);
	assert_string_equal(path, "/some/where");
	assert_int_equal(paths_libdir(path, 5), -ENAMETOOLONG);
	assert_int_equal(unsetenv("DROVER_LIBDIR"), 0);
	assert_int_equal(paths_libdir(path, sizeof(path)), 0);
	assert_int_equal(path[0], '/');
}

static void a_program_that_is_nowhere_is_not_found(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(paths_program("sh", path, sizeof(path)), 0);
	assert_int_equal(access(path, X_OK), 0);
	assert_int_equal(paths_program("no-such-program-of-drover", path, sizeof(path)), -ENOENT);
}

static void the_cache_follows_xdg(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(setenv("XDG_CACHE_HOME", "/c", 1), 0);
	assert_int_equal(paths_cache_dir(path, sizeof(path)), 0);
	assert_string_equal(path, "/c/drover");
	assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
	assert_int_equal(paths_state_dir(path, sizeof(path)), 0);
	assert_int_equal(path[0], '/');
	assert_int_equal(paths_runtime_dir(path, 3), -ENAMETOOLONG);
}

static void a_log_line_is_one_line(void **state)
{
	int err = dup(STDERR_FILENO), fd = file_memfd("log");
	char text[512] = "";

	(void)state;
	log_init("t", LOG_LEVEL_INFO);
	assert_true(err >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	log_info("job.ended name=%s", "a\nforged: b");
	log_debug("not shown");
	(void)dup2(err, STDERR_FILENO);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	close(fd);
	close(err);
	assert_non_null(strstr(text, "job.ended name=a\\x0aforged: b\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_null(strstr(text, "not shown"));
	assert_int_equal(log_level_parse("warn"), LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("loud"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_names_the_library_directory),
		cmocka_unit_test(a_program_that_is_nowhere_is_not_found),
		cmocka_unit_test(the_cache_follows_xdg),
		cmocka_unit_test(a_log_line_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
