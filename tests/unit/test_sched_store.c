/* The store: what was committed is there after a kill, what wasn't is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "common/file.h"
#include "scheduler/policy/policy.h"
#include "tests/unit/store_under_test.h"

static char dir[256];

static int setup(void **state)
{
	(void)state;
	return file_temp_dir("drover-store", dir, sizeof(dir), NULL);
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(dir, NULL);
}

static struct store *open_store(void)
{
	struct err e = ERR_INIT;
	struct store *s;

	if (store_under_test(&s, dir, &e))
		fail_msg("%s", e.msg);
	return s;
}

static struct cluster *load(struct store *s)
{
	struct cluster *c = cluster_new(&core_options_default);
	struct err e = ERR_INIT;

	if (store_load(s, c, 1000, &e))
		fail_msg("%s", e.msg);
	assert_null(cluster_check(c));
	core_set_policy(c, &policy_balance, &policy_options_default);
	return c;
}

static void save(struct store *s, struct cluster *c, struct effects *fx)
{
	struct err e = ERR_INIT;

	if (store_begin(s, &e) || store_apply(s, fx, &e) || store_commit(s, &e))
		fail_msg("%s", e.msg);
	effects_free(fx);
	cluster_reap(c);
}

static uint64_t submit(struct store *s, struct cluster *c, const char *name)
{
	struct job_spec spec = {.cpus = 1, .isas = 3, .max_restarts = 1};
	struct effects fx = {0};
	struct job *j;
	uint64_t id;

	(void)snprintf(spec.name, sizeof(spec.name), "%s", name);
	(void)snprintf(spec.user, sizeof(spec.user), "u");
	spec.launch = strdup("{\"args\":[\"x\"]}");
	assert_int_equal(core_submit(c, 5, &spec, &j, &fx), 0);
	id = j->id;
	save(s, c, &fx);
	return id;
}

static void add_node(struct store *s, struct cluster *c, const char *name, enum isa isa)
{
	struct node intro = {.isa = isa, .cpus = 2, .idle_w = 12.5}, *n;
	struct effects fx = {0};

	(void)snprintf(intro.name, sizeof(intro.name), "%s", name);
	intro.meters = strdup("[]");
	assert_int_equal(core_introduce(c, 1000, &intro, &n, &fx), 0);
	save(s, c, &fx);
}

/* Runs fn in a child that is killed as soon as fn has returned. */
static void killed_after(void (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		fn();
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void run_and_migrate(void)
{
	struct store *s = open_store();
	struct cluster *c = load(s);
	struct effects fx = {0};
	struct migration *m;
	struct job *j;

	add_node(s, c, "x86-1", ISA_X86_64);
	(void)submit(s, c, "moves");
	core_schedule(c, 1001, &fx);
	save(s, c, &fx);
	add_node(s, c, "arm-1", ISA_AARCH64);
	j = cluster_job(c, 1);
	j->confirmed = true;
	assert_int_equal(core_migrate(c, 1002, j, NULL, "why", &m, &fx, NULL), 0);
	save(s, c, &fx);
	(void)submit(s, c, "waits");
}

static void uncommitted(void)
{
	struct store *s = open_store();
	struct cluster *c = load(s);
	struct job_spec spec = {.cpus = 1, .isas = 3};
	struct effects fx = {0};
	struct job *j;

	assert_int_equal(core_submit(c, 5, &spec, &j, &fx), 0);
	assert_int_equal(store_begin(s, NULL), 0);
	assert_int_equal(store_apply(s, &fx, NULL), 0);
}

static void a_killed_scheduler_finds_everything_it_committed(void **state)
{
	struct store *s;
	struct cluster *c;
	struct job *j;

	(void)state;
	killed_after(run_and_migrate);
	killed_after(uncommitted);
	s = open_store();
	c = load(s);
	assert_int_equal(store_epoch(s), 3);
	assert_int_equal(c->njobs, 2);
	assert_int_equal(c->npending, 1);
	assert_int_equal(c->nactive, 1);
	assert_int_equal(c->next_job, 3);
	j = cluster_job(c, 1);
	assert_int_equal(j->state, JOB_MIGRATING);
	assert_string_equal(j->node->name, "x86-1");
	assert_string_equal(j->spec.launch, "{\"args\":[\"x\"]}");
	assert_string_equal(j->migration->to->name, "arm-1");
	assert_string_equal(j->migration->reason, "why");
	assert_true(j->node->idle_w > 12.4 && j->node->idle_w < 12.6);
	assert_true(j->node->revision > (3ull << 32));
	cluster_free(c);
	store_close(s);
}

static void two_schedulers_on_one_directory_are_refused(void **state)
{
	struct store *s = open_store(), *other;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(store_under_test(&other, dir, &e), -EBUSY);
	assert_non_null(strstr(e.msg, "another scheduler"));
	store_close(s);
}

static void a_damaged_database_is_refused_with_a_hint(void **state)
{
	struct store *s = open_store();
	struct err e = ERR_INIT;
	char path[300];
	int fd;

	(void)state;
	if (getenv("DROVER_STORE") && strcmp(getenv("DROVER_STORE"), "sqlite") != 0)
		skip(); /* damages SQLite's file */
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s/drover.db", dir);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "garbage garbage garbage", 23, 4096), 23);
	assert_int_equal(pwrite(fd, "garbage garbage garbage", 23, 8192), 23);
	close(fd);
	assert_int_equal(store_under_test(&s, dir, &e), -EUCLEAN);
	assert_true(e.hint[0]);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "no database at all, just some text of a length", 46), 46);
	close(fd);
	assert_int_equal(store_under_test(&s, dir, &e), -EUCLEAN);
}

static void a_log_is_appended_by_offset_and_never_twice(void **state)
{
	struct store *s = open_store();
	uint64_t held;
	char back[32] = "";
	int fd;

	(void)state;
	assert_int_equal(store_append_log(s, 17, 1, 0, "hello ", 6, &held, NULL), 0);
	assert_int_equal(held, 6);
	assert_int_equal(store_append_log(s, 17, 1, 3, "lo world", 8, &held, NULL), 0);
	assert_int_equal(held, 11);
	assert_int_equal(store_append_log(s, 17, 1, 0, "hello", 5, &held, NULL), 0);
	assert_int_equal(held, 11);
	assert_int_equal(store_append_log(s, 17, 1, 99, "x", 1, &held, NULL), -ERANGE);
	assert_int_equal(held, 11);
	fd = store_open_log(s, 17, 1);
	assert_int_equal(read(fd, back, sizeof(back)), 11);
	assert_string_equal(back, "hello world");
	close(fd);
	assert_int_equal(store_log_size(s, 17, 2), 0);
	store_close(s);
}

static void an_energy_interval_counts_once(void **state)
{
	struct store *s = open_store();
	struct cluster *c = load(s);
	static struct energy_interval i;
	struct job_record r;
	uint64_t id = submit(s, c, "j");

	(void)state;
	i = (struct energy_interval){.node = "n",
				     .instance = "i",
				     .meter = "m",
				     .kind = "modelled",
				     .energy_uj = 30,
				     .idle_uj = 10,
				     .counted = true,
				     .njobs = 1};
	i.jobs[0] = (struct energy_job){id, 1, 20};
	for (int k = 0; k < 2; k++) {
		assert_int_equal(store_begin(s, NULL), 0);
		assert_int_equal(store_add_energy(s, &i, NULL), 0);
		assert_int_equal(store_commit(s, NULL), 0);
	}
	assert_int_equal(store_job(s, id, &r, NULL), 0);
	assert_int_equal(r.energy_uj, 20);
	assert_string_equal(r.energy_kind, "modelled");
	job_record_free(&r);
	cluster_free(c);
	store_close(s);
}

static void a_bundle_comes_back_as_it_went_in(void **state)
{
	struct store *s = open_store();
	struct bundle_record b = {.sha = "ab", .name = "n", .size = 5, .isas = 3}, back;
	int fd = file_memfd("bundle");
	char text[8] = "";

	(void)state;
	assert_int_equal(write(fd, "bytes", 5), 5);
	assert_int_equal(store_add_bundle(s, &b, fd, NULL), 0);
	assert_int_equal(store_add_bundle(s, &b, fd, NULL), 0);
	close(fd);
	assert_int_equal(store_bundle(s, "ab", &back, NULL), 0);
	assert_int_equal(back.size, 5);
	assert_int_equal(store_bundle(s, "cd", &back, NULL), -ENOENT);
	fd = store_open_bundle(s, "ab", NULL);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "bytes");
	close(fd);
	store_close(s);
}

static void a_key_is_remembered_until_it_is_forgotten(void **state)
{
	struct store *s = open_store();
	char digest[CORE_SHA_SIZE];
	uint64_t job;

	(void)state;
	assert_int_equal(store_begin(s, NULL), 0);
	assert_int_equal(store_add_idempotency(s, "old", 3, "d3", 1000, NULL), 0);
	assert_int_equal(store_add_idempotency(s, "new", 4, "d4", 2000, NULL), 0);
	assert_int_not_equal(store_add_idempotency(s, "new", 5, "d5", 2000, NULL), 0);
	assert_int_equal(store_commit(s, NULL), 0);
	store_close(s);
	s = open_store();
	assert_int_equal(store_idempotency(s, "old", &job, digest, NULL), 0);
	assert_int_equal(job, 3);
	assert_string_equal(digest, "d3");
	assert_int_equal(store_begin(s, NULL), 0);
	assert_int_equal(store_forget_keys(s, 2000, NULL), 0);
	assert_int_equal(store_commit(s, NULL), 0);
	assert_int_equal(store_idempotency(s, "old", &job, digest, NULL), 0);
	assert_int_equal(job, 0);
	assert_int_equal(store_idempotency(s, "new", &job, digest, NULL), 0);
	assert_int_equal(job, 4);
	store_close(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_killed_scheduler_finds_everything_it_committed),
		T(two_schedulers_on_one_directory_are_refused),
		T(a_key_is_remembered_until_it_is_forgotten),
		T(a_damaged_database_is_refused_with_a_hint),
		T(a_log_is_appended_by_offset_and_never_twice),
		T(an_energy_interval_counts_once),
		T(a_bundle_comes_back_as_it_went_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
