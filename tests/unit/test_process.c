/* A process under control: the protocol's course, and what becomes of those that break it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/file.h"
#include "migrator/process/process.h"

#define WAIT_MS 60000

static int exe = -1;

static int setup(void **state)
{
	const char *dir = getenv("DROVER_BUILDDIR");
	char path[4096];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/tests/unit/fake_runtime", dir ? dir : ".");
	exe = open(path, O_RDONLY | O_CLOEXEC);
	return exe < 0;
}

static struct process *start_with(const char *mode, int image, const char *plan,
				  const struct descriptors *given, const struct process *before)
{
	static const char *const envp[] = {"PATH=/bin", "DROVER_CTL=0", NULL};
	const char *argv[] = {"fake", mode, NULL};
	struct process_spec s = {.satellite = &satellite_process,
				 .isa = isa_host(),
				 .exe_fd = exe,
				 .argv = argv,
				 .envp = envp,
				 .stdio = {-1, -1, -1},
				 .new_group = true,
				 .image_in = image,
				 .plan = plan,
				 .given = given,
				 .in_place = before != NULL,
				 .before = before};
	struct process *p = NULL;
	struct err e = ERR_INIT;

	if (process_start(&s, &p, &e))
		fail_msg("%s", e.msg);
	return p;
}

static struct process *start_given(const char *mode, int image, const char *plan,
				   const struct descriptors *given)
{
	return start_with(mode, image, plan, given, NULL);
}

static struct process *start(const char *mode, int image, const char *plan)
{
	return start_given(mode, image, plan, NULL);
}

static struct process_event next(struct process *p)
{
	struct process_event ev;
	struct err e = ERR_INIT;

	assert_int_equal(process_next(p, WAIT_MS, &ev, &e), 1);
	return ev;
}

static void expect_exit(struct process *p, int code)
{
	struct process_event ev = next(p);

	assert_int_equal(ev.type, PROCESS_EXITED);
	assert_true(WIFEXITED(ev.wait_status));
	assert_int_equal(WEXITSTATUS(ev.wait_status), code);
	process_free(p);
}

/* Up to and with CAPTURED. */
static struct process *captured(void)
{
	struct process *p = start("migrate", -1, NULL);
	struct process_event ev;

	assert_int_equal(next(p).type, PROCESS_HELLO);
	assert_int_equal(process_commit(p, NULL), -EINVAL);
	assert_int_equal(process_request_capture(p, false, NULL), 0);
	ev = next(p);
	assert_int_equal(ev.type, PROCESS_DEFERRED);
	assert_string_equal(ev.text, "not here?"); /* made printable */
	ev = next(p);
	assert_int_equal(ev.type, PROCESS_CAPTURED);
	assert_int_equal(ev.a[0], 5);
	assert_int_equal(process_phase(p), PROCESS_FROZEN);
	return p;
}

static void a_committed_process_ends(void **state)
{
	struct process *p = captured();

	(void)state;
	assert_int_equal(process_commit(p, NULL), 0);
	assert_int_equal(process_abort(p, NULL), -EINVAL);
	expect_exit(p, 7);
}

static void an_aborted_process_runs_on(void **state)
{
	struct process *p = captured();
	struct process_event ev;

	(void)state;
	assert_int_equal(process_abort(p, NULL), 0);
	assert_int_equal(next(p).type, PROCESS_RESUMED);
	ev = next(p);
	assert_int_equal(ev.type, PROCESS_POINTS);
	assert_int_equal(ev.a[0], 11);
	expect_exit(p, 8);
}

static void a_loaded_process_waits_for_go(void **state)
{
	struct process *src = captured(), *dst;

	(void)state;
	dst = start("load", process_image_fd(src), NULL);
	assert_int_equal(next(dst).type, PROCESS_HELLO);
	assert_int_equal(process_go(dst, NULL), -EINVAL);
	assert_int_equal(next(dst).type, PROCESS_LOADED);
	assert_int_equal(process_phase(dst), PROCESS_READY);
	assert_int_equal(process_go(dst, NULL), 0);
	assert_int_equal(next(dst).type, PROCESS_RESUMED);
	expect_exit(dst, 9);
	assert_int_equal(process_commit(src, NULL), 0);
	expect_exit(src, 7);
}

static void images_in_place_are_one_file(void **state)
{
	struct process *src = captured(), *dst;
	struct stat was, is;

	(void)state;
	dst = start_with("load", process_image_fd(src), NULL, NULL, src);
	assert_int_equal(fstat(process_image_fd(src), &was), 0);
	assert_int_equal(fstat(process_image_fd(dst), &is), 0);
	assert_true(was.st_ino == is.st_ino && was.st_dev == is.st_dev);
	process_free(src);
	process_free(dst);
}

static void malformed_and_untimely_messages_are_told_apart_from_events(void **state)
{
	static const char *const modes[] = {"garbage", "out-of-turn"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct process *p = start(modes[i], -1, NULL);
		struct process_event ev = next(p);

		assert_int_equal(ev.type, PROCESS_PROTOCOL);
		assert_true(ev.text[0]);
		expect_exit(p, 0);
	}
}

static void the_plan_arrives_and_the_jobs_own_control_variables_do_not(void **state)
{
	(void)state;
	expect_exit(start("plan", -1, "5:6"), 0);
}

static void no_descriptor_of_ours_is_inherited(void **state)
{
	int other = open("/dev/null", O_RDONLY); /* without close-on-exec */

	(void)state;
	expect_exit(start("descriptors", -1, NULL), 0);
	close(other);
}

static void waiting_has_an_end_and_freeing_kills(void **state)
{
	struct process *p = start("wait", -1, NULL);
	struct process_event ev;
	pid_t pid = process_pid(p);

	(void)state;
	assert_int_equal(process_next(p, 1, &ev, NULL), 0);
	assert_int_equal(kill(pid, 0), 0);
	process_free(p);
	assert_int_equal(kill(pid, 0), -1);
}

static void a_signal_is_seen_in_the_wait_status(void **state)
{
	struct process *p = start("wait", -1, NULL);
	struct process_event ev;

	(void)state;
	assert_int_equal(process_signal(p, SIGTERM), 0);
	ev = next(p);
	assert_int_equal(ev.type, PROCESS_EXITED);
	assert_true(WIFSIGNALED(ev.wait_status) && WTERMSIG(ev.wait_status) == SIGTERM);
	process_free(p);
}

static void what_cannot_be_executed_is_an_error_with_the_reason(void **state)
{
	const char *argv[] = {"text", NULL}, *envp[] = {NULL};
	int fd = file_memfd("text");
	struct satellite_spec s = {
		.isa = isa_host(), .exe_fd = fd, .argv = argv, .envp = envp, .stdio = {-1, -1, -1}};
	struct err e = ERR_INIT;
	pid_t pid;

	(void)state;
	assert_int_equal(file_write_all(fd,
					"\x7f"
					"ELF no",
					7),
			 0);
	assert_int_equal(satellite_process.start(&s, &pid, &e), -ENOEXEC);
	assert_non_null(strstr(e.msg, "cannot execute it"));
	s.exe_fd = exe;
	s.cwd = "/nowhere";
	assert_int_equal(satellite_process.start(&s, &pid, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "working directory"));
	close(fd);
}

static void the_host_isa_runs_natively_and_back_ends_are_found_by_name(void **state)
{
	struct satellite_info info;

	(void)state;
	satellite_process.probe(isa_host(), &info);
	assert_int_equal(info.mode, SATELLITE_NATIVE);
	satellite_process.probe(isa_other(isa_host()), &info);
	assert_int_not_equal(info.mode, SATELLITE_NATIVE);
	assert_true(info.mode == SATELLITE_EMULATED ? info.emulator[0] : info.reason[0]);
	assert_ptr_equal(satellite_find("process"), &satellite_process);
	assert_null(satellite_find("moon"));
}

static void control_records_are_checked_field_by_field(void **state)
{
	struct drover_control good = {.magic = DROVER_CONTROL_MAGIC,
				      .type = DROVER_MSG_HELLO,
				      .version = DROVER_CONTROL_VERSION},
			      m, out;

	(void)state;
	assert_int_equal(control_check(&good, sizeof(good), &out, NULL), 0);
	assert_int_equal(control_check(&good, sizeof(good) - 1, &out, NULL), -EPROTO);
	m = good;
	m.magic++;
	assert_int_equal(control_check(&m, sizeof(m), &out, NULL), -EPROTO);
	m = good;
	m.version++;
	assert_int_equal(control_check(&m, sizeof(m), &out, NULL), -EPROTO);
	m = good;
	m.type = DROVER_MSG_COMMIT; /* the supervisor's */
	assert_int_equal(control_check(&m, sizeof(m), &out, NULL), -EPROTO);
	m = good;
	memset(m.text, 'x', sizeof(m.text));
	assert_int_equal(control_check(&m, sizeof(m), &out, NULL), -EPROTO);
}

static struct process *giving(const char *mode)
{
	struct process *p = start(mode, -1, NULL);

	assert_int_equal(next(p).type, PROCESS_HELLO);
	assert_int_equal(process_request_capture(p, true, NULL), 0);
	return p;
}

static void what_a_process_gives_is_the_new_ones(void **state)
{
	struct process *src = giving("give"), *dst;

	(void)state;
	assert_int_equal(next(src).type, PROCESS_CAPTURED);
	assert_int_equal(process_given(src)->n, 1);
	dst = start_given("take", process_image_fd(src), NULL, process_given(src));
	assert_int_equal(next(dst).type, PROCESS_HELLO);
	expect_exit(dst, 0);
	assert_int_equal(process_commit(src, NULL), 0);
	assert_int_equal(process_given(src)->n, 0);
	expect_exit(src, 0);
}

static void to_give_less_than_was_said_is_a_breach(void **state)
{
	struct process *p = giving("give-less");

	(void)state;
	assert_int_equal(next(p).type, PROCESS_PROTOCOL);
	process_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_committed_process_ends),
		cmocka_unit_test(an_aborted_process_runs_on),
		cmocka_unit_test(a_loaded_process_waits_for_go),
		cmocka_unit_test(images_in_place_are_one_file),
		cmocka_unit_test(what_a_process_gives_is_the_new_ones),
		cmocka_unit_test(to_give_less_than_was_said_is_a_breach),
		cmocka_unit_test(malformed_and_untimely_messages_are_told_apart_from_events),
		cmocka_unit_test(the_plan_arrives_and_the_jobs_own_control_variables_do_not),
		cmocka_unit_test(no_descriptor_of_ours_is_inherited),
		cmocka_unit_test(waiting_has_an_end_and_freeing_kills),
		cmocka_unit_test(a_signal_is_seen_in_the_wait_status),
		cmocka_unit_test(what_cannot_be_executed_is_an_error_with_the_reason),
		cmocka_unit_test(the_host_isa_runs_natively_and_back_ends_are_found_by_name),
		cmocka_unit_test(control_records_are_checked_field_by_field),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
