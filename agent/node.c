/*
 * The node: start, adoption of what runs, main loop, end. See node.h.
 */
#include "agent/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <time.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/id.h"
#include "common/log.h"
#include "common/notify.h"

#define LOOP_MS          500
#define STATE_DIR_MAX    120 /* so that every path below it fits its buffer */
#define STOP_JOBS_MAX_MS 5000

void node_wake(struct node *n)
{
	uint64_t one = 1;

	/* Can only fail when the counter is full: then main is awake anyway. */
	if (write(n->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void node_changed(struct node *n)
{
	n->change++;
	pthread_cond_broadcast(&n->changed);
}

void node_wait(struct node *n, unsigned int ms)
{
	struct timespec ts;
	uint64_t until = clock_monotonic_ns() + ms * NS_PER_MS;

	ts.tv_sec = (time_t)(until / NS_PER_S);
	ts.tv_nsec = (long)(until % NS_PER_S);
	pthread_cond_timedwait(&n->changed, &n->lock, &ts);
}

void node_pause(struct node *n, unsigned int ms)
{
	while (ms && !atomic_load(&n->stop)) {
		unsigned int step = ms > 100 ? 100 : ms;
		struct timespec ts = {.tv_sec = 0, .tv_nsec = (long)step * 1000000};

		nanosleep(&ts, NULL);
		ms -= step;
	}
}

struct entry *node_find(struct node *n, const struct job_key *k)
{
	for (size_t i = 0; i < n->nentries; i++) {
		const struct job_key *have = n->entries[i] ? &n->entries[i]->job.key : NULL;

		if (have && !strcmp(have->id, k->id) && have->attempt == k->attempt &&
		    have->epoch == k->epoch)
			return n->entries[i];
	}
	return NULL;
}

int node_scheduler_epoch(struct node *n, uint64_t epoch)
{
	char path[256], text[32];
	struct err e = ERR_INIT;

	if (epoch < n->scheduler_epoch)
		return -ESTALE;
	if (epoch == n->scheduler_epoch)
		return 0;
	n->scheduler_epoch = epoch;
	snprintf(path, sizeof(path), "%s/scheduler-epoch", n->opt.state_dir);
	snprintf(text, sizeof(text), "%" PRIu64 "\n", epoch);
	if (file_write_atomic(path, text, strlen(text), 0600, &e))
		log_err(LOG_LEVEL_WARN, "scheduler-epoch.not-kept", &e);
	return 0;
}

static int load_scheduler_epoch(struct node *n, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	char path[256], *end;
	int rc;

	buf_init(&b, 64);
	snprintf(path, sizeof(path), "%s/scheduler-epoch", n->opt.state_dir);
	rc = file_read(path, &b, e);
	if (rc == -ENOENT) {
		err_clear(e);
		return 0;
	}
	if (rc)
		return rc;
	n->scheduler_epoch = strtoull(buf_cstr(&b), &end, 10);
	if (*end && *end != '\n')
		return err_set(e, -EINVAL, "%s is damaged: '%s' is not a number", path,
			       buf_cstr(&b));
	return 0;
}

/* Everything that was recorded, so that nothing is started twice. */
static int adopt_all(struct node *n, struct err *e)
{
	DIR *d = opendir(n->jobs_dir);
	struct dirent *de;
	char dir[512];
	int rc = 0;

	if (!d)
		return err_sys(e, -errno, "cannot list %s", n->jobs_dir);
	while (!rc && (de = readdir(d))) {
		struct entry **v, *en = NULL;

		if (de->d_name[0] == '.')
			continue;
		snprintf(dir, sizeof(dir), "%s/%s", n->jobs_dir, de->d_name);
		rc = entry_adopt(dir, &en, e);
		if (rc == -ENOENT) {
			/* It never got as far as being recorded, so it never ran. */
			rc = file_remove_tree(dir, e);
			continue;
		}
		v = rc ? NULL : realloc(n->entries, (n->nentries + 1) * sizeof(*v));
		if (!v) {
			entry_free(en);
			rc = rc ? rc : err_set(e, -ENOMEM, "out of memory");
			break;
		}
		n->entries = v;
		v[n->nentries++] = en;
		log_info("job.adopted job=%s attempt=%" PRIu32 " epoch=%" PRIu64 " state=%s",
			 en->job.key.id, en->job.key.attempt, en->job.key.epoch,
			 job_state_name(en->job.state));
	}
	closedir(d);
	return rc;
}

static int init_dirs(struct node *n, struct err *e)
{
	int rc;

	if (strlen(n->opt.state_dir) > STATE_DIR_MAX) {
		err_set(e, -ENAMETOOLONG, "the state directory's name %s is longer than %d bytes",
			n->opt.state_dir, STATE_DIR_MAX);
		err_hint(e, "choose a shorter "
			    "--state-dir");
		return -ENAMETOOLONG;
	}
	snprintf(n->jobs_dir, sizeof(n->jobs_dir), "%s/jobs", n->opt.state_dir);
	snprintf(n->bundles_dir, sizeof(n->bundles_dir), "%s/bundles", n->opt.state_dir);
	rc = file_mkdir_p(n->jobs_dir, 0700, e);
	return rc ? rc : file_mkdir_p(n->bundles_dir, 0700, e);
}

/* One or two lines. */
static void read_instances(struct node *n, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(n->replaces); i++) {
		size_t len = strcspn(text, "\n");

		if (len < sizeof(n->replaces[0]))
			snprintf(n->replaces[i], sizeof(n->replaces[0]), "%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* One agent a state directory; the lock goes with the process, however it ends. */
static int lock_state(struct node *n, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	char path[256];

	snprintf(path, sizeof(path), "%s/lock", n->opt.state_dir);
	n->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (n->lock_fd < 0)
		return err_sys(e, -errno, "cannot open %s", path);
	if (flock(n->lock_fd, LOCK_EX | LOCK_NB)) {
		err_set(e, -EBUSY, "another drover-agent uses the state directory %s",
			n->opt.state_dir);
		err_hint(e, "end it, or give each agent a --state-dir of its own");
		return -EBUSY;
	}
	buf_init(&b, 256);
	snprintf(path, sizeof(path), "%s/instance", n->opt.state_dir);
	if (!file_read(path, &b, NULL))
		read_instances(n, buf_cstr(&b));
	return 0;
}

static void init_locks(struct node *n)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&n->lock, NULL);
	pthread_mutex_init(&n->introduce_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&n->changed, &attr);
	pthread_condattr_destroy(&attr);
}

struct meter_config node_meter_config(const struct node *n)
{
	return (struct meter_config){.profile = &n->profile,
				     .sysfs_root = n->opt.sysfs_root,
				     .powercap_root = n->opt.powercap_root,
				     .sample_ms = n->opt.sample_ms};
}

/* With auto also what else there is, beside the one that is counted. */
static int open_meters(struct node *n, struct err *e)
{
	const struct meter_config mc = node_meter_config(n);
	int rc = meter_open(n->opt.meter, n->emulated, &mc, &n->meters[0], e);

	if (rc)
		return rc;
	n->nmeters = 1;
	if (!strcmp(n->opt.meter, "auto") && !n->emulated)
		n->nmeters += meter_open_apart(n->meters[0], &mc, n->meters + 1, METERS_MAX - 1);
	return 0;
}

int node_init(struct node *n, const struct options *o, struct err *e)
{
	char path[256];
	int rc;

	*n = (struct node){.opt = *o, .wake_fd = -1, .lock_fd = -1};
	init_locks(n);
	n->emulated = o->isa != isa_host();
	atomic_store(&n->heartbeat_ms, 1000);
	rc = profile_load(o->profile ? o->profile : profile_default(o->isa), &n->profile, e);
	if (rc)
		return rc;
	if (n->profile.isa != o->isa)
		return err_set(e, -EINVAL, "profile %s is of an %s machine, the node's ISA is %s",
			       n->profile.name, isa_name(n->profile.isa), isa_name(o->isa));
	rc = open_meters(n, e);
	if (!rc && id_random(n->instance, sizeof(n->instance), 16))
		rc = err_set(e, -EIO, "no random numbers for this instance's name");
	if (!rc)
		rc = init_dirs(n, e);
	/* A configuration may be checked beside the agent that runs. */
	if (!rc && !o->check_config)
		rc = lock_state(n, e);
	if (!rc)
		rc = load_scheduler_epoch(n, e);
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "%s/energy.jsonl", o->state_dir);
	rc = energy_ring_open(path, &n->ring, e);
	if (rc)
		return rc;
	n->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return n->wake_fd < 0 ? err_sys(e, -errno, "cannot make an eventfd") : 0;
}

void node_free(struct node *n)
{
	for (size_t i = 0; i < n->nentries; i++)
		entry_free(n->entries[i]);
	free(n->entries);
	desired_free(&n->desired);
	desired_free(&n->fresh);
	energy_ring_free(n->ring);
	while (n->nmeters)
		meter_close(n->meters[--n->nmeters]);
	if (n->wake_fd >= 0)
		close(n->wake_fd);
	if (n->lock_fd >= 0)
		close(n->lock_fd);
	pthread_cond_destroy(&n->changed);
	pthread_mutex_destroy(&n->lock);
	pthread_mutex_destroy(&n->introduce_lock);
}

/* One turn: wait for a ferry, a thread or a signal; take it all in; act. False: time to end. */
static bool turn(struct node *n, int signal_fd, struct pollfd **fds, size_t *room)
{
	size_t k = 2;
	uint64_t count;

	if (n->nentries + 2 > *room) {
		struct pollfd *more = realloc(*fds, (n->nentries + 18) * sizeof(*more));

		if (!more)
			return false;
		*fds = more;
		*room = n->nentries + 18;
	}
	(*fds)[0] = (struct pollfd){.fd = n->wake_fd, .events = POLLIN};
	(*fds)[1] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
	for (size_t i = 0; i < n->nentries; i++)
		(*fds)[k++] = (struct pollfd){
			.fd = n->entries[i]->ferry ? ferry_client_fd(n->entries[i]->ferry) : -1,
			.events = POLLIN};
	if (poll(*fds, (nfds_t)k, LOOP_MS) < 0 && errno != EINTR)
		return false;
	if ((*fds)[1].revents)
		return false;
	if ((*fds)[0].revents && read(n->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_warn("wake.failed errno=%d", errno);
	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < n->nentries; i++)
		if (n->entries[i]->ferry)
			act_listen(n, n->entries[i]);
	if (n->have_fresh) {
		desired_free(&n->desired);
		n->desired = n->fresh;
		n->fresh = (struct desired){0};
		n->have_fresh = false;
		n->have_desired = true;
	}
	act_all(n);
	pthread_mutex_unlock(&n->lock);
	return true;
}

static void stop_jobs(struct node *n)
{
	uint64_t until = clock_monotonic_ns() + STOP_JOBS_MAX_MS * NS_PER_MS;
	bool any = true;

	pthread_mutex_lock(&n->lock);
	act_stop_jobs(n);
	while (any && clock_monotonic_ns() < until) {
		struct timespec ts = {.tv_sec = 0, .tv_nsec = 20000000};

		any = false;
		for (size_t i = 0; i < n->nentries; i++) {
			act_listen(n, n->entries[i]);
			any = any || job_has_ferry(n->entries[i]->job.state);
		}
		pthread_mutex_unlock(&n->lock);
		nanosleep(&ts, NULL);
		pthread_mutex_lock(&n->lock);
	}
	pthread_mutex_unlock(&n->lock);
}

/* The main loop turns at least every LOOP_MS; that is what the service manager hears. */
static void watchdog(void)
{
	static uint64_t last_ns;
	uint64_t due = notify_watchdog_ms(), now = clock_monotonic_ns();

	if (!due || now - last_ns < due * NS_PER_MS)
		return;
	last_ns = now;
	notify_watchdog();
}

int node_run(struct node *n, struct err *e)
{
	char status[300];
	static void *(*const bodies[])(void *) = {poll_thread, report_thread, ship_thread,
						  fetch_thread, sample_thread};
	pthread_t threads[ARRAY_SIZE(bodies)];
	struct pollfd *fds = NULL;
	size_t room = 0, started = 0;
	sigset_t set;
	_cleanup_close_ int signal_fd = -1;
	int rc;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		return err_sys(e, -errno, "cannot make a signalfd");
	rc = adopt_all(n, e);
	for (; !rc && started < ARRAY_SIZE(bodies); started++)
		if (pthread_create(&threads[started], NULL, bodies[started], n)) {
			rc = err_set(e, -EAGAIN, "cannot start a thread");
			break;
		}
	if (!rc) {
		(void)snprintf(status, sizeof(status), "node %s of %s", n->opt.name, n->opt.server);
		notify_ready(status);
	}
	while (!rc && turn(n, signal_fd, &fds, &room))
		watchdog();
	notify_stopping();
	log_info("agent.stopping jobs=%s", n->opt.stop_jobs ? "stopped" : "left running");
	if (!rc && n->opt.stop_jobs)
		stop_jobs(n);
	atomic_store(&n->stop, true);
	pthread_mutex_lock(&n->lock);
	pthread_cond_broadcast(&n->changed);
	pthread_mutex_unlock(&n->lock);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(fds);
	return rc;
}
