/*
 * The daemons tell a service manager that they are ready, alive and about to end;
 * this test is the service manager.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "common/notify.h"

/* How long a daemon may take on a busy machine; nothing is judged by it but being stuck. */
#define PATIENCE_MS 30000

static char dir[256], socket_path[300];
static int fd = -1;

static int setup(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)state;
	if (file_temp_dir("drover-notify", dir, sizeof(dir), NULL))
		return -1;
	(void)snprintf(socket_path, sizeof(socket_path), "%s/notify", dir);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%.100s", socket_path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	return file_remove_tree(dir, NULL);
}

/* Waits for a message that begins so; others are let pass. */
static void expect(const char *begin)
{
	char text[512];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, PATIENCE_MS) != 1)
			fail_msg("no '%s' came", begin);
		n = recv(fd, text, sizeof(text) - 1, 0);
		assert_true(n >= 0);
		text[n] = '\0';
		if (!strncmp(text, begin, strlen(begin)))
			return;
	}
}

static pid_t start(const char *program, char *const *argv)
{
	char path[600], log[300];
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/%s", getenv("DROVER_BUILDDIR"), program);
	(void)snprintf(log, sizeof(log), "%s/%s.log", dir, program);
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)setenv("NOTIFY_SOCKET", socket_path, 1);
	(void)setenv("WATCHDOG_USEC", "400000", 1);
	(void)unsetenv("WATCHDOG_PID");
	if (!freopen(log, "w", stderr) || !freopen(log, "a", stdout))
		_exit(126);
	(void)execv(path, argv);
	_exit(127);
}

static void end(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGTERM), 0);
	expect("STOPPING=1");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void daemons_tell_that_they_are_ready_alive_and_about_to_end(void **state)
{
	char sdir[300], adir[300], port_file[300], url[64], port[16] = "";
	char *const sched[] = {"droverd",  "--config",    "none",        "--state-dir", sdir,
			       "--listen", "127.0.0.1:0", "--port-file", port_file,     NULL};
	char *const agent[] = {"drover-agent", "--config",    "none", "--name",   "n1", "--meter",
			       "model",        "--state-dir", adir,   "--server", url,  NULL};
	pid_t s, a;
	FILE *f;

	(void)state;
	if (!getenv("DROVER_BUILDDIR"))
		fail_msg("run by make check, or set DROVER_BUILDDIR");
	(void)snprintf(sdir, sizeof(sdir), "%s/s", dir);
	(void)snprintf(adir, sizeof(adir), "%s/a", dir);
	(void)snprintf(port_file, sizeof(port_file), "%s/port", dir);
	s = start("droverd", sched);
	expect("READY=1");
	/* Ready means that it serves: its port is known. */
	f = fopen(port_file, "r");
	assert_non_null(f);
	assert_non_null(fgets(port, sizeof(port), f));
	(void)fclose(f);
	expect("WATCHDOG=1");
	expect("WATCHDOG=1");
	end(s);
	port[strcspn(port, "\n")] = '\0';
	/* An agent is ready without its scheduler: it waits for it. */
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%s", port);
	a = start("drover-agent", agent);
	expect("READY=1");
	expect("WATCHDOG=1");
	expect("WATCHDOG=1");
	end(a);
}

static void without_a_service_manager_nothing_is_due(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(notify_watchdog_ms(), 0);
	notify_ready("nobody hears it");
	assert_int_equal(setenv("WATCHDOG_USEC", "30000000", 1), 0);
	assert_int_equal(notify_watchdog_ms(), 15000);
	/* Meant for another process. */
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
	assert_int_equal(notify_watchdog_ms(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(daemons_tell_that_they_are_ready_alive_and_about_to_end),
		cmocka_unit_test(without_a_service_manager_nothing_is_due),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
