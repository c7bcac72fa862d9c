/* See launch.h. */
#include "cli/launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/paths.h"

void launch_pause(unsigned int ms)
{
	const struct timespec ts = {.tv_sec = 0, .tv_nsec = (long)ms * 1000000};

	(void)nanosleep(&ts, NULL);
}

/* Why a process ended: the last lines it wrote. */
int launch_died(const struct cluster_process *p, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	const char *tail;

	buf_init(&b, 4u << 20);
	(void)file_read(p->log, &b, NULL);
	while (b.len && b.data[b.len - 1] == '\n')
		b.data[--b.len] = '\0';
	tail = strrchr(buf_cstr(&b), '\n');
	err_set(e, -ECHILD, "%s ended right after its start: %.400s", p->name,
		tail ? tail + 1 : buf_cstr(&b));
	err_hint(e, "its log is %.200s", p->log);
	return -ECHILD;
}

static void log_path(const struct cluster *c, const char *name, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/%s.log", c->state_dir, name);
}

/*
 * A program for the scheduler to call with a node's name: what sleep and wake are on
 * a machine of one's own.
 */
static int write_hook(const struct cluster *c, const char *name, const char *command, char *path,
		      size_t size, struct err *e)
{
	char program[1024], text[2048];
	int rc = paths_program("drover", program, sizeof(program));

	if (rc)
		return err_sys(e, rc, "cannot find the program drover");
	(void)snprintf(path, size, "%s/%s", c->state_dir, name);
	if (strchr(program, '\'') || strchr(c->state_dir, '\''))
		return err_set(e, -EINVAL, "--sleep: %s has a quote in its name", c->state_dir);
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\nexec '%s' %s --config none --state-dir '%s' \"$1\"\n", program,
		       command, c->state_dir);
	return file_write_atomic(path, text, strlen(text), 0700, e);
}

int launch_scheduler(struct cluster *c, const char *port, const char *policy, bool sleeps,
		     struct err *e)
{
	char dir[CLUSTER_PATH_MAX + 32], port_file[CLUSTER_PATH_MAX + 32], listen[64], log[400];
	char suspend[CLUSTER_PATH_MAX + 32], resume[CLUSTER_PATH_MAX + 32];
	const char *argv[20] = {"droverd",     "--state-dir", dir,        "--listen", listen,
				"--port-file", port_file,     "--config", "none",     NULL};
	struct cluster_process *p = &c->processes[0];
	uint64_t until = clock_monotonic_ns() + LAUNCH_MAX_MS * NS_PER_MS;
	size_t n = 9;
	int rc = 0;

	(void)snprintf(dir, sizeof(dir), "%s/scheduler", c->state_dir);
	(void)snprintf(port_file, sizeof(port_file), "%s/port", c->state_dir);
	(void)snprintf(listen, sizeof(listen), "127.0.0.1:%s", port);
	log_path(c, "droverd", log, sizeof(log));
	if (policy) {
		argv[n++] = "--policy";
		argv[n++] = policy;
	}
	if (sleeps) {
		rc = write_hook(c, "suspend", "down", suspend, sizeof(suspend), e);
		if (!rc)
			rc = write_hook(c, "resume", "up", resume, sizeof(resume), e);
		argv[n++] = "--suspend-program";
		argv[n++] = suspend;
		argv[n++] = "--resume-program";
		argv[n++] = resume;
	}
	(void)unlink(port_file);
	*p = (struct cluster_process){.pid = 0};
	if (!rc)
		rc = cluster_spawn("droverd", argv, log, p, e);
	if (rc)
		return rc;
	c->nprocesses = 1;
	while (clock_monotonic_ns() < until) {
		_cleanup_buf_ struct buf b = {0};

		buf_init(&b, 64);
		if (!file_read(port_file, &b, NULL) && b.len && b.data[b.len - 1] == '\n') {
			(void)snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%lu",
				       strtoul(b.data, NULL, 10));
			return 0;
		}
		launch_pause(20);
		if (!cluster_alive(p))
			return launch_died(p, e);
	}
	return err_set(e, -ETIMEDOUT, "the scheduler did not say its port within %d s",
		       LAUNCH_MAX_MS / 1000);
}

int launch_agent(const struct cluster *c, struct cluster_process *p, struct err *e)
{
	char dir[CLUSTER_PATH_MAX + 80], log[400], cpus[16], name[64];
	const char *argv[16] = {
		"drover-agent", "--config", "none",        "--name", name,          "--isa", p->isa,
		"--server",     c->url,     "--state-dir", dir,      "--stop-jobs", NULL};

	(void)snprintf(name, sizeof(name), "%s", p->name);
	(void)snprintf(dir, sizeof(dir), "%s/%s", c->state_dir, name);
	log_path(c, name, log, sizeof(log));
	if (p->cpus) {
		(void)snprintf(cpus, sizeof(cpus), "%u", p->cpus);
		argv[12] = "--cpus";
		argv[13] = cpus;
	}
	return cluster_spawn(name, argv, log, p, e);
}
