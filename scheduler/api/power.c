#include "scheduler/api/power.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"

#define POLL_MS 50

extern char **environ;

struct hook {
	char node[CORE_NAME_MAX];
	bool resume, started;
	pid_t pid;
	uint64_t until_ns;
	struct hook *next;
};

struct power {
	struct engine *en;
	struct power_config cfg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct hook *hooks;
	bool stopping;
};

static void tell(struct power *p, const struct hook *h, bool ok, const char *why)
{
	struct effects fx = {0};
	struct err e = ERR_INIT;
	struct node *n;

	log_info("power.hook node=%s program=%s ok=%s why=\"%s\"", h->node,
		 h->resume ? "resume" : "suspend", ok ? "yes" : "no", why);
	while (engine_lock(p->en, &e)) {
		const struct timespec ts = {.tv_nsec = POLL_MS * 1000000};

		if (p->stopping)
			return;
		(void)nanosleep(&ts, NULL);
	}
	n = cluster_node(p->en->cluster, h->node);
	if (n) {
		core_power_done(p->en->cluster, engine_now_ms(), n, h->resume, ok, why, &fx);
		(void)engine_commit(p->en, &fx, NULL, &e);
	}
	engine_unlock(p->en);
}

/* In a process group of its own, so that what it starts can be ended with it. */
static int start(const struct power *p, struct hook *h)
{
	const char *program = h->resume ? p->cfg.resume : p->cfg.suspend;
	unsigned int s = h->resume ? p->cfg.resume_s : p->cfg.suspend_s;
	char *argv[] = {(char *)(uintptr_t)program, h->node, NULL};
	posix_spawnattr_t attr;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	r = posix_spawn(&h->pid, program, NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	h->started = !r;
	h->until_ns = clock_monotonic_ns() + s * NS_PER_S;
	return -r;
}

/* 1: over, and *ok and why say how; 0: it runs. */
static int look_at(struct power *p, struct hook *h, bool *ok, char why[128])
{
	int status = 0, r;
	pid_t pid;

	*ok = false;
	if (!h->started) {
		r = start(p, h);
		if (r)
			(void)snprintf(why, 128, "the program can't be started: %s", strerror(-r));
		return r != 0;
	}
	pid = waitpid(h->pid, &status, WNOHANG);
	if (pid == 0 && clock_monotonic_ns() < h->until_ns)
		return 0;
	if (pid == 0) {
		(void)kill(-h->pid, SIGKILL);
		(void)waitpid(h->pid, &status, 0);
		(void)snprintf(why, 128, "the program took more than %u s",
			       h->resume ? p->cfg.resume_s : p->cfg.suspend_s);
		return 1;
	}
	*ok = pid == h->pid && WIFEXITED(status) && !WEXITSTATUS(status);
	why[0] = '\0';
	if (!*ok && WIFEXITED(status))
		(void)snprintf(why, 128, "the program ended with status %d", WEXITSTATUS(status));
	else if (!*ok)
		(void)snprintf(why, 128, "the program was ended by signal %d", WTERMSIG(status));
	return 1;
}

static void *power_main(void *arg)
{
	struct power *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		struct hook **at = &p->hooks;
		struct timespec ts;

		while (*at && !p->stopping) {
			struct hook *h = *at;
			char why[128];
			bool ok;

			if (!look_at(p, h, &ok, why)) {
				at = &h->next;
				continue;
			}
			*at = h->next;
			/* Only this thread takes hooks out; others add at the front. */
			pthread_mutex_unlock(&p->lock);
			tell(p, h, ok, why);
			free(h);
			pthread_mutex_lock(&p->lock);
			at = &p->hooks;
		}
		if (p->stopping)
			break;
		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_nsec += POLL_MS * 1000000;
		if (ts.tv_nsec >= 1000000000) {
			ts.tv_sec++;
			ts.tv_nsec -= 1000000000;
		}
		if (p->hooks)
			pthread_cond_timedwait(&p->cond, &p->lock, &ts);
		else
			pthread_cond_wait(&p->cond, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int power_new(struct power **out, struct engine *en, const struct power_config *cfg, struct err *e)
{
	struct power *p = calloc(1, sizeof(*p));
	int r;

	*out = NULL;
	if (!p)
		return err_set(e, -ENOMEM, "no memory for the sleep and wake programs");
	p->en = en;
	p->cfg = *cfg;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->cond, NULL);
	r = pthread_create(&p->thread, NULL, power_main, p);
	if (r) {
		free(p);
		return err_sys(e, -r, "can't start the thread for sleep and wake programs");
	}
	*out = p;
	return 0;
}

void power_free(struct power *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	for (struct hook *h = p->hooks, *next; h; h = next) {
		next = h->next;
		free(h);
	}
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->cond);
	free(p);
}

void power_run(struct power *p, const char *node, bool resume)
{
	struct hook *h;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	for (h = p->hooks; h; h = h->next)
		if (h->resume == resume && !strcmp(h->node, node))
			break;
	if (!h && (h = calloc(1, sizeof(*h)))) {
		(void)snprintf(h->node, sizeof(h->node), "%s", node);
		h->resume = resume;
		h->next = p->hooks;
		p->hooks = h;
	}
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->lock);
}
