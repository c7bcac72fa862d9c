/* Commands in the background; see run.h. */
#include "binaries/link/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* As clang -v does: on one line, quoted where a shell would need it. */
static void print_command(const struct strv *argv)
{
	for (size_t i = 0; i < argv->n; i++) {
		bool plain = argv->v[i][0] && !strpbrk(argv->v[i], " \t\n\"'$&|;<>()*?\\`#");

		fprintf(stderr, plain ? "%s%s" : "%s\"%s\"", i ? " " : "", argv->v[i]);
	}
	fputc('\n', stderr);
}

int run_start(struct run *r, const struct strv *argv, const char *errfile, bool verbose,
	      struct err *err)
{
	posix_spawn_file_actions_t actions;
	int e;

	r->pid = 0;
	if (strv_failed(argv) || !argv->n)
		return err_set(err, -ENOMEM, "cannot put a command together: out of memory");
	if (verbose)
		print_command(argv);
	e = posix_spawn_file_actions_init(&actions);
	if (!e && errfile)
		e = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errfile,
						     O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (!e)
		e = posix_spawn(&r->pid, argv->v[0], &actions, NULL, argv->v, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (!e)
		return 0;
	r->pid = 0;
	err_sys(err, -e, "cannot run %s", argv->v[0]);
	return err_hint(err, "install the packages tools/deps lists");
}

int run_wait(struct run *r)
{
	int status;
	pid_t pid = r->pid;

	if (!pid)
		return -ESRCH;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	r->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
