/*
 * Back end "process": the half is a child process on this host's kernel.
 *
 * The half is executed from its descriptor, never from a path that could be
 * replaced. The emulator opens /proc/<pid of the caller>/fd/<n> instead: a
 * descriptor it inherited would be visible to the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/close_range.h>
#include "config.h"
#include "common/file.h"
#include "kernels/satellite.h"

#define ARGS_MAX 65536

/* Where in the child a start failed; sent to the parent with the errno. */
enum step { STEP_SETUP, STEP_STDIO, STEP_CWD, STEP_LIMIT, STEP_EXEC };

struct failure {
	int step;
	int error;
};

static const char *const step_names[] = {
	[STEP_SETUP] = "cannot set up the process",
	[STEP_STDIO] = "cannot set up its standard streams",
	[STEP_CWD] = "cannot enter its working directory",
	[STEP_LIMIT] = "cannot set its resource limits",
	[STEP_EXEC] = "cannot execute it",
};

/* The configured path, or the name along PATH. */
static bool find_emulator(const char *configured, char *out, size_t size)
{
	const char *base = strrchr(configured, '/');
	const char *p = getenv("PATH");

	if (*configured == '/' && access(configured, X_OK) == 0)
		return snprintf(out, size, "%s", configured) < (int)size;
	base = base ? base + 1 : configured;
	while (p && *p) {
		size_t len = strcspn(p, ":");
		int n = snprintf(out, size, "%.*s/%s", (int)len, p, base);

		if (len && n > 0 && (size_t)n < size && access(out, X_OK) == 0)
			return true;
		p += len;
		p += *p == ':';
	}
	return false;
}

static void process_probe(enum isa isa, struct satellite_info *info)
{
	const char *qemu = isa == ISA_AARCH64 ? DROVER_QEMU_AARCH64 : DROVER_QEMU_X86_64;

	memset(info, 0, sizeof(*info));
	if (isa == isa_host()) {
		info->mode = SATELLITE_NATIVE;
	} else if (find_emulator(qemu, info->emulator, sizeof(info->emulator))) {
		info->mode = SATELLITE_EMULATED;
	} else {
		info->mode = SATELLITE_UNAVAILABLE;
		(void)snprintf(info->reason, sizeof(info->reason),
			       "this host is %s and %s is not installed (Debian package qemu-user)",
			       isa_name(isa_host()), qemu);
	}
}

static int set_limit(int resource, uint64_t value)
{
	struct rlimit rl = {value, value};

	return value ? setrlimit((__rlimit_resource_t)resource, &rl) : 0;
}

/* Moves the three descriptors above 2 first: they may be each other's targets. */
static int child_stdio(const int stdio[3])
{
	int high[3];

	for (int i = 0; i < 3; i++) {
		int fd = stdio[i] >= 0 ? stdio[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

		high[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (high[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return -1;
	return 0;
}

static int child_setup(const struct satellite_spec *s, pid_t parent, int *step)
{
	sigset_t none;

	*step = STEP_SETUP;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (getppid() != parent) {
		errno = ESRCH;
		return -1;
	}
	if (s->new_group && setpgid(0, 0) < 0)
		return -1;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Ignored signals stay ignored through exec: give back the defaults. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	*step = STEP_LIMIT;
	if (set_limit(RLIMIT_DATA, s->memory_bytes) < 0 ||
	    set_limit(RLIMIT_CPU, s->cpu_seconds) < 0)
		return -1;
	*step = STEP_STDIO;
	if (child_stdio(s->stdio) < 0)
		return -1;
	*step = STEP_SETUP;
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (unsigned int i = 0; i < s->nkeep; i++)
		if (fcntl(s->keep[i], F_SETFD, 0) < 0)
			return -1;
	*step = STEP_CWD;
	if (s->cwd && chdir(s->cwd) < 0)
		return -1;
	*step = STEP_EXEC;
	return 0;
}

struct exec_plan {
	const char *emulator; /* NULL: native */
	const char **argv;    /* what the kernel gets */
};

static _noreturn_ void child(const struct satellite_spec *s, const struct exec_plan *plan,
			     pid_t parent, int report)
{
	struct failure f = {0, 0};

	if (child_setup(s, parent, &f.step) == 0) {
		if (plan->emulator)
			(void)execve(plan->emulator, (char *const *)(uintptr_t)plan->argv,
				     (char *const *)(uintptr_t)s->envp);
		else
			(void)fexecve(s->exe_fd, (char *const *)(uintptr_t)plan->argv,
				      (char *const *)(uintptr_t)s->envp);
	}
	f.error = errno;
	(void)!write(report, &f, sizeof(f));
	_exit(127);
}

/* argv of the emulator: its name, "-0", the program's name, the half's path, the arguments. */
static int plan_exec(const struct satellite_spec *s, const struct satellite_info *info,
		     char *half_path, size_t size, struct exec_plan *plan)
{
	const char *const *args = s->argv;
	size_t n = 0, k = 0;

	while (s->argv[n])
		if (++n > ARGS_MAX)
			return -E2BIG;
	plan->argv = calloc(n + 5, sizeof(*plan->argv));
	if (!plan->argv)
		return -ENOMEM;
	plan->emulator = info->mode == SATELLITE_EMULATED ? info->emulator : NULL;
	if (plan->emulator) {
		(void)snprintf(half_path, size, "/proc/%d/fd/%d", (int)getpid(), s->exe_fd);
		plan->argv[k++] = info->emulator;
		plan->argv[k++] = "-0";
		plan->argv[k++] = s->argv[0];
		plan->argv[k++] = half_path;
		args++;
	}
	while (*args)
		plan->argv[k++] = *args++;
	return 0;
}

static int process_start(const struct satellite_spec *s, pid_t *pid, struct err *e)
{
	_cleanup_close_ int rd = -1, wr = -1;
	_cleanup_free_ const char **argv = NULL;
	struct satellite_info info;
	struct exec_plan plan = {0};
	struct failure f;
	char half_path[64];
	int pipefd[2], r;
	pid_t parent = getpid();

	process_probe(s->isa, &info);
	if (info.mode == SATELLITE_UNAVAILABLE)
		return err_set(e, -ENOEXEC, "cannot run %s programs here: %s", isa_name(s->isa),
			       info.reason);
	r = plan_exec(s, &info, half_path, sizeof(half_path), &plan);
	if (r < 0)
		return err_sys(e, r, "cannot start %s", s->argv[0]);
	argv = plan.argv;
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "cannot start %s", s->argv[0]);
	rd = pipefd[0];
	wr = pipefd[1];
	*pid = fork();
	if (*pid < 0)
		return err_sys(e, -errno, "cannot start %s", s->argv[0]);
	if (*pid == 0)
		child(s, &plan, parent, wr);
	if (s->new_group)
		(void)setpgid(*pid, *pid); /* both sides do it: neither may be late */
	close(take_fd(&wr));
	/* End of file: the descriptor was closed by a successful exec. */
	r = file_read_all(rd, &f, sizeof(f));
	if (r == -ENODATA)
		return 0;
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (r < 0 || f.step < 0 || (size_t)f.step >= ARRAY_SIZE(step_names))
		return err_set(e, -ECHILD, "cannot start %s", s->argv[0]);
	return err_sys(e, -f.error, "cannot start %s (%s): %s", s->argv[0], isa_name(s->isa),
		       step_names[f.step]);
}

const struct satellite_ops satellite_process = {
	.name = "process",
	.probe = process_probe,
	.start = process_start,
};
