/* See cluster.h. */
#include "cli/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/paths.h"
#include "migrator/ferry/client.h"

#define FILE_MAX (256u << 10)

int cluster_dir(const char *given, char *out, size_t size, struct err *e)
{
	const char *env = getenv("DROVER_CLUSTER");
	char base[CLUSTER_PATH_MAX];
	char *abs;

	if (!given && env && *env)
		given = env;
	if (!given) {
		if (paths_state_dir(base, sizeof(base)) ||
		    (size_t)snprintf(out, size, "%s/local", base) >= size)
			return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
		return 0;
	}
	if (file_mkdir_p(given, 0700, e))
		return e ? e->code : -EIO;
	abs = realpath(given, NULL);
	if (!abs || (size_t)snprintf(out, size, "%s", abs) >= size) {
		free(abs);
		return err_set(e, -ENAMETOOLONG, "cannot use %s as state directory", given);
	}
	free(abs);
	return 0;
}

static void state_file(const char *dir, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/cluster.json", dir);
}

int cluster_lock(const char *state_dir, struct err *e)
{
	char path[CLUSTER_PATH_MAX + 32];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/cluster.lock", state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, -errno, "cannot open %s", path);
	while (flock(fd, LOCK_EX))
		if (errno != EINTR) {
			int rc = err_sys(e, -errno, "cannot lock %s", path);

			(void)close(fd);
			return rc;
		}
	return fd;
}

struct cluster_process *cluster_process_named(struct cluster *c, const char *name)
{
	for (size_t i = 1; i < c->nprocesses; i++)
		if (!strcmp(c->processes[i].name, name))
			return &c->processes[i];
	return NULL;
}

static int parse_process(const json_t *v, struct cluster_process *p, struct err *e)
{
	struct json_fields f;
	uint64_t cpus = 0;
	int64_t pid = 0;

	json_fields_init(&f, v, "processes[]", e);
	json_get_str(&f, "name", JSON_REQUIRED, p->name, sizeof(p->name));
	json_get_i64(&f, "pid", JSON_REQUIRED, 2, INT32_MAX, &pid);
	json_get_u64(&f, "start_time", JSON_REQUIRED, 1, INT64_MAX, &p->start_time);
	json_get_str(&f, "log", JSON_REQUIRED, p->log, sizeof(p->log));
	json_get_str(&f, "isa", JSON_OPTIONAL, p->isa, sizeof(p->isa));
	json_get_u64(&f, "cpus", JSON_OPTIONAL, 0, 65536, &cpus);
	p->cpus = (unsigned int)cpus;
	p->pid = (pid_t)pid;
	return json_fields_end(&f);
}

int cluster_load(const char *state_dir, struct cluster *c, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_json_ json_t *root = NULL;
	const json_t *arr = NULL;
	struct json_fields f;
	uint64_t version = 0;
	char path[CLUSTER_PATH_MAX + 32];
	int rc;

	c->nprocesses = 0;
	c->url[0] = '\0';
	if (c->state_dir != state_dir)
		(void)snprintf(c->state_dir, sizeof(c->state_dir), "%s", state_dir);
	state_file(state_dir, path, sizeof(path));
	buf_init(&b, FILE_MAX);
	rc = file_read(path, &b, e);
	if (!rc)
		rc = json_parse(buf_cstr(&b), b.len, FILE_MAX, path, &root, e);
	if (rc)
		return rc;
	json_fields_init(&f, root, path, e);
	json_get_u64(&f, "version", JSON_REQUIRED, 1, 1, &version);
	json_get_str(&f, "url", JSON_REQUIRED, c->url, sizeof(c->url));
	json_get_arr(&f, "processes", JSON_REQUIRED, CLUSTER_MAX_PROCESSES, &arr);
	rc = json_fields_end(&f);
	for (size_t i = 0; !rc && i < json_array_size(arr); i++)
		rc = parse_process(json_array_get(arr, i), &c->processes[c->nprocesses++], e);
	return rc;
}

int cluster_save(const struct cluster *c, struct err *e)
{
	_cleanup_json_ json_t *root = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *arr = json_array();
	char path[CLUSTER_PATH_MAX + 32];

	for (size_t i = 0; i < c->nprocesses; i++)
		(void)json_array_append_new(
			arr, json_pack("{s:s, s:i, s:I, s:s, s:s, s:i}", "name",
				       c->processes[i].name, "pid", (int)c->processes[i].pid,
				       "start_time", (json_int_t)c->processes[i].start_time, "log",
				       c->processes[i].log, "isa", c->processes[i].isa, "cpus",
				       (int)c->processes[i].cpus));
	root = json_pack("{s:i, s:s, s:o}", "version", 1, "url", c->url, "processes", arr);
	text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	state_file(c->state_dir, path, sizeof(path));
	return file_write_atomic(path, text, strlen(text), 0600, e);
}

void cluster_forget(const struct cluster *c)
{
	char path[CLUSTER_PATH_MAX + 32];

	state_file(c->state_dir, path, sizeof(path));
	(void)unlink(path);
}

int cluster_url(char *out, size_t size)
{
	char dir[CLUSTER_PATH_MAX];
	struct cluster *c = malloc(sizeof(*c));
	int rc = c ? cluster_dir(NULL, dir, sizeof(dir), NULL) : -ENOMEM;

	if (!rc)
		rc = cluster_load(dir, c, NULL);
	if (!rc)
		(void)snprintf(out, size, "%s", c->url);
	free(c);
	return rc;
}

uint64_t process_start_time(pid_t pid)
{
	_cleanup_buf_ struct buf b = {0};
	char path[64], state = 0;
	unsigned long long start = 0;
	const char *p;

	buf_init(&b, 8192);
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read(path, &b, NULL))
		return 0;
	/* The name in parentheses may itself hold anything: fields count from behind the last ')'.
	 */
	p = strrchr(buf_cstr(&b), ')');
	if (!p || sscanf(p + 1, " %c", &state) != 1 || state == 'Z' || state == 'X')
		return 0;
	for (int field = 2; field < 22 && p; field++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p + 1, "%llu", &start) == 1 ? start : 0;
}

bool cluster_alive(const struct cluster_process *p)
{
	return p->pid > 1 && process_start_time(p->pid) == p->start_time;
}

static _noreturn_ void child(const char *program, const char *const *argv, int log_fd)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)setsid();
	(void)dup2(null, 0);
	(void)dup2(log_fd, 1);
	(void)dup2(log_fd, 2);
	(void)close_range(3, ~0u, 0);
	(void)execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

int cluster_spawn(const char *name, const char *const *argv, const char *log,
		  struct cluster_process *p, struct err *e)
{
	_cleanup_close_ int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	char program[1024];
	pid_t pid;
	int rc;

	if (fd < 0)
		return err_sys(e, -errno, "cannot write %s", log);
	rc = paths_program(argv[0], program, sizeof(program));
	if (rc)
		return err_sys(e, rc, "cannot find the program %s", argv[0]);
	pid = fork();
	if (pid < 0)
		return err_sys(e, -errno, "cannot start %s", argv[0]);
	if (!pid)
		child(program, argv, fd);
	p->pid = pid;
	p->start_time = process_start_time(pid);
	(void)snprintf(p->name, sizeof(p->name), "%s", name);
	(void)snprintf(p->log, sizeof(p->log), "%s", log);
	return 0;
}

static bool wait_end(const struct cluster_process *p, unsigned int ms)
{
	const struct timespec step = {.tv_sec = 0, .tv_nsec = 20000000};
	uint64_t until = clock_monotonic_ns() + ms * NS_PER_MS;

	for (;;) {
		(void)waitpid(p->pid, NULL, WNOHANG); /* when it is our own child */
		if (!cluster_alive(p))
			return true;
		if (clock_monotonic_ns() >= until)
			return false;
		(void)nanosleep(&step, NULL);
	}
}

bool cluster_end(const struct cluster_process *p, unsigned int grace_ms)
{
	if (!cluster_alive(p))
		return true;
	(void)kill(p->pid, SIGTERM);
	(void)kill(p->pid, SIGCONT);
	if (wait_end(p, grace_ms))
		return true;
	(void)kill(p->pid, SIGKILL);
	return wait_end(p, 5000);
}

static void end_ferry(const char *dir)
{
	struct ferry_client *client = NULL;
	struct ferry_status s;

	if (ferry_connect(dir, &client, NULL))
		return;
	if (ferry_next(client, 2000, &s, NULL) == 1) {
		struct ferry_command cmd = {
			.type = FERRY_CMD_CANCEL, .epoch = s.epoch, .signal = SIGKILL};

		(void)ferry_call(client, &cmd, 2000, &s, NULL);
	}
	ferry_client_free(client);
}

void cluster_end_ferries(const struct cluster *c)
{
	for (size_t i = 1; i < c->nprocesses; i++) {
		char jobs[CLUSTER_PATH_MAX + 80], dir[CLUSTER_PATH_MAX + 400];
		struct dirent *de;
		DIR *d;

		(void)snprintf(jobs, sizeof(jobs), "%s/%s/jobs", c->state_dir,
			       c->processes[i].name);
		d = opendir(jobs);
		while (d && (de = readdir(d))) {
			if (de->d_name[0] == '.')
				continue;
			(void)snprintf(dir, sizeof(dir), "%s/%s", jobs, de->d_name);
			end_ferry(dir);
		}
		if (d)
			(void)closedir(d);
	}
}
