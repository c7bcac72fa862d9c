/* What the agent decides: the cases by hand, and what must hold over random histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/reconcile.h"

static struct want want(const char *id, uint64_t epoch, enum want_role role)
{
	struct want w = {.attempt = 1, .epoch = epoch, .role = role, .cpus = 1};

	snprintf(w.id, sizeof(w.id), "%s", id);
	w.mig.next_epoch = epoch;
	return w;
}

static struct want with_mig(struct want w, const char *mig, enum want_phase phase)
{
	snprintf(w.mig.id, sizeof(w.mig.id), "%s", mig);
	w.mig.phase = phase;
	w.mig.next_epoch = w.epoch + 1;
	return w;
}

static struct job job(const char *id, uint64_t epoch, enum want_role origin, enum job_state state)
{
	struct job j = {.state = state, .origin = origin, .bundle_ready = true};

	snprintf(j.key.id, sizeof(j.key.id), "%s", id);
	j.key.attempt = 1;
	j.key.epoch = epoch;
	return j;
}

static struct job moving(struct job j, const char *mig, enum mig_state state)
{
	snprintf(j.mig_id, sizeof(j.mig_id), "%s", mig);
	j.mig = state;
	return j;
}

/* The one action for one desired job and one entry (either may be NULL). */
static enum action_type one_at(const struct want *w, const struct job *j, int64_t now_ms)
{
	const struct job *jobs[] = {j};
	struct action out[2];
	size_t n = reconcile(w, w ? 1 : 0, jobs, j ? 1 : 0, now_ms, out);

	assert_true(n <= 2);
	return n ? out[n - 1].type : ACT_NONE;
}

static enum action_type one(const struct want *w, const struct job *j)
{
	return one_at(w, j, 100000);
}

static void a_job_to_run_is_added_then_started_when_its_bundle_is_there(void **state)
{
	struct want w = want("1", 1, ROLE_RUN);
	struct job j = job("1", 1, ROLE_RUN, JOB_NEW);

	(void)state;
	assert_int_equal(one(&w, NULL), ACT_ADD);
	j.bundle_ready = false;
	assert_int_equal(one(&w, &j), ACT_NONE);
	j.bundle_ready = true;
	assert_int_equal(one(&w, &j), ACT_START);
	j.state = JOB_STARTING;
	assert_int_equal(one(&w, &j), ACT_NONE);
	j.state = JOB_RUNNING;
	assert_int_equal(one(&w, &j), ACT_NONE);
}

static void an_ended_or_lost_attempt_is_never_started_again(void **state)
{
	struct want w = want("1", 1, ROLE_RUN);
	const enum job_state over[] = {JOB_EXITED, JOB_LOST, JOB_FAILED};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct job j = job("1", 1, ROLE_RUN, over[i]);

		assert_int_equal(one(&w, &j), ACT_NONE);
	}
}

static void a_job_that_came_by_migration_is_reported_lost_if_there_is_no_record(void **state)
{
	struct want w = want("1", 3, ROLE_RUN), s;

	(void)state;
	assert_int_equal(one(&w, NULL), ACT_ADD_LOST);
	s = with_mig(want("1", 1, ROLE_SOURCE), "m1", PHASE_SEND);
	assert_int_equal(one(&s, NULL), ACT_ADD_LOST);
	s = with_mig(want("1", 1, ROLE_RUN), "m1", PHASE_ABORT);
	assert_int_equal(one(&s, NULL), ACT_ADD_LOST);
}

static void a_destination_receives_and_goes_only_when_it_owns_the_epoch(void **state)
{
	struct want w = with_mig(want("1", 1, ROLE_DESTINATION), "m1", PHASE_PREPARE);
	struct want run = want("1", 2, ROLE_RUN);
	struct job j = moving(job("1", 2, ROLE_DESTINATION, JOB_NEW), "m1", MIG_NONE);

	(void)state;
	assert_int_equal(one(&w, NULL), ACT_ADD);
	assert_int_equal(one(&w, &j), ACT_RECEIVE);
	j.state = JOB_WAITING;
	j.mig = MIG_LOADED;
	assert_int_equal(one(&w, &j), ACT_NONE);
	assert_int_equal(one(&run, &j), ACT_GO);
	j.mig = MIG_PREPARED;
	assert_int_equal(one(&run, &j), ACT_NONE);
	j.state = JOB_NEW;
	assert_int_equal(one(&run, &j), ACT_NONE);
}

static void a_receiver_of_another_migration_gives_way(void **state)
{
	struct want w = with_mig(want("1", 1, ROLE_DESTINATION), "m2", PHASE_PREPARE);
	struct job j = moving(job("1", 2, ROLE_DESTINATION, JOB_WAITING), "m1", MIG_PREPARED);
	const struct job *jobs[] = {&j};
	struct action out[2];

	(void)state;
	assert_int_equal(reconcile(&w, 1, jobs, 1, 0, out), 2);
	assert_int_equal(out[0].type, ACT_RELEASE);
	assert_int_equal(out[1].type, ACT_ADD);
}

static void a_source_sends_once_for_each_migration(void **state)
{
	struct want prepare = with_mig(want("1", 1, ROLE_SOURCE), "m1", PHASE_PREPARE);
	struct want send = with_mig(want("1", 1, ROLE_SOURCE), "m1", PHASE_SEND);
	struct want next = with_mig(want("1", 1, ROLE_SOURCE), "m2", PHASE_SEND);
	struct job j = job("1", 1, ROLE_RUN, JOB_RUNNING);

	(void)state;
	assert_int_equal(one(&prepare, &j), ACT_NONE);
	assert_int_equal(one(&send, &j), ACT_SEND);
	j = moving(j, "m1", MIG_SENDING);
	assert_int_equal(one(&send, &j), ACT_NONE);
	j = moving(j, "m1", MIG_ABORTED);
	assert_int_equal(one(&send, &j), ACT_NONE);
	assert_int_equal(one(&next, &j), ACT_SEND);
	j = moving(job("1", 1, ROLE_RUN, JOB_FROZEN), "m1", MIG_SENT);
	assert_int_equal(one(&next, &j), ACT_ABORT);
}

static void an_aborted_migration_rebuilds_at_the_source(void **state)
{
	struct want w = with_mig(want("1", 1, ROLE_RUN), "m1", PHASE_ABORT);
	struct job j = moving(job("1", 1, ROLE_RUN, JOB_FROZEN), "m1", MIG_FAILED);

	(void)state;
	assert_int_equal(one(&w, &j), ACT_ABORT);
	j = moving(job("1", 1, ROLE_RUN, JOB_RUNNING), "m1", MIG_DEFERRED);
	assert_int_equal(one(&w, &j), ACT_ABORT);
	j = moving(job("1", 1, ROLE_RUN, JOB_RUNNING), "m1", MIG_ABORTED);
	assert_int_equal(one(&w, &j), ACT_NONE);
}

static void what_is_no_longer_wanted_is_released_and_forgotten_when_settled(void **state)
{
	struct job j = moving(job("1", 1, ROLE_RUN, JOB_FROZEN), "m1", MIG_SENT);

	(void)state;
	assert_int_equal(one(NULL, &j), ACT_RELEASE);
	j.state = JOB_RELEASED;
	assert_int_equal(one(NULL, &j), ACT_NONE);
	j.settled = true;
	assert_int_equal(one(NULL, &j), ACT_FORGET);
}

static void a_cancelled_job_gets_a_second_signal_after_its_grace(void **state)
{
	struct want w = want("1", 1, ROLE_CANCEL);
	struct job j = job("1", 1, ROLE_RUN, JOB_RUNNING);

	(void)state;
	assert_int_equal(one(&w, &j), ACT_CANCEL);
	j.cancel_ms = 100000;
	assert_int_equal(one_at(&w, &j, 100000 + CANCEL_GRACE_MS - 1), ACT_NONE);
	assert_int_equal(one_at(&w, &j, 100000 + CANCEL_GRACE_MS), ACT_KILL);
	assert_int_equal(one(&w, NULL), ACT_ADD_ENDED);
	j = job("1", 1, ROLE_RUN, JOB_FROZEN);
	assert_int_equal(one(&w, &j), ACT_KILL);
}

static void a_command_is_not_repeated_at_once_but_is_after_a_while(void **state)
{
	struct want w = with_mig(want("1", 1, ROLE_SOURCE), "m1", PHASE_SEND);
	struct job j = job("1", 1, ROLE_RUN, JOB_RUNNING);

	(void)state;
	j.asked = ACT_SEND;
	j.asked_ms = 100000;
	assert_int_equal(one_at(&w, &j, 100001), ACT_NONE);
	assert_int_equal(one_at(&w, &j, 100000 + ASK_AGAIN_MS), ACT_SEND);
}

/* ---- random histories: two nodes, one job, messages lost and late, agents restarted -------- */

struct world {
	/* scheduler */
	unsigned int owner;
	uint64_t epoch;
	bool migrating, committed, aborting;
	enum want_phase phase;
	uint64_t next_mig;
	char mig[MIG_ID_MAX];
	/* nodes: at most some entries each */
	struct job jobs[2][8];
	size_t njobs[2];
	struct want seen[2]; /* the desired state each node last fetched */
	bool sees[2];
	unsigned int starts, running;
	uint64_t ran_epoch; /* highest epoch that ever ran */
	int64_t now;
};

static struct want desired_of(const struct world *w, unsigned int node, bool *present)
{
	struct want d = want("1", w->epoch, ROLE_RUN);

	*present = true;
	if (w->migrating) {
		d = with_mig(d, w->mig, w->phase);
		if (node == w->owner)
			d.role = ROLE_SOURCE;
		else if (node < 2)
			d.role = ROLE_DESTINATION, d.mig.phase = PHASE_PREPARE;
		return d;
	}
	if (node == w->owner) {
		if (w->aborting)
			d = with_mig(d, w->mig, PHASE_ABORT), d.mig.next_epoch = d.epoch;
		return d;
	}
	*present = false;
	return d;
}

/* What a ferry would do with the command; checks that nothing runs twice. */
static void obey(struct world *w, unsigned int node, const struct action *a, const struct want *d)
{
	struct job *j = a->job == SIZE_MAX ? NULL : &w->jobs[node][a->job];

	if (j) {
		j->asked = a->type;
		j->asked_ms = w->now;
	}
	switch (a->type) {
	case ACT_ADD:
		assert_true(w->njobs[node] < 8);
		j = &w->jobs[node][w->njobs[node]++];
		*j = job(d->id, want_epoch(d),
			 d->role == ROLE_DESTINATION ? ROLE_DESTINATION : ROLE_RUN, JOB_NEW);
		if (d->role == ROLE_DESTINATION)
			*j = moving(*j, d->mig.id, MIG_NONE);
		j->settled = true;
		break;
	case ACT_START:
		assert_int_equal(w->starts, 0);
		w->starts++;
		j->state = JOB_RUNNING;
		break;
	case ACT_RECEIVE:
		j->state = JOB_WAITING;
		j->mig = MIG_PREPARED;
		break;
	case ACT_SEND:
		assert_int_equal(j->state, JOB_RUNNING);
		*j = moving(*j, d->mig.id, MIG_SENDING);
		break;
	case ACT_ABORT:
		/* Only the owner of the epoch may run on. */
		assert_true(node == w->owner && j->key.epoch == w->epoch);
		j->state = JOB_RUNNING;
		j->mig = MIG_ABORTED;
		break;
	case ACT_GO:
		assert_true(node == w->owner && j->key.epoch == w->epoch);
		assert_true(j->key.epoch > w->ran_epoch);
		w->ran_epoch = j->key.epoch;
		j->state = JOB_RUNNING;
		j->mig = MIG_RUNNING;
		break;
	case ACT_RELEASE:
		/* Nobody may throw away what owns the job. */
		assert_false(node == w->owner && j->key.epoch == w->epoch && j->state != JOB_NEW);
		j->state = JOB_RELEASED;
		j->settled = true;
		break;
	case ACT_FORGET:
		j->state = JOB_STATES; /* swept below */
		break;
	default:
		fail_msg("unexpected action %s", action_name(a->type));
	}
}

static void act(struct world *w, unsigned int node)
{
	const struct job *ptrs[8];
	struct action out[16];
	size_t n, k = 0;

	if (!w->sees[node] && w->seen[node].attempt == 0)
		return; /* nothing fetched yet */
	for (size_t i = 0; i < w->njobs[node]; i++)
		ptrs[i] = &w->jobs[node][i];
	n = reconcile(&w->seen[node], w->sees[node], ptrs, w->njobs[node], w->now, out);
	for (size_t i = 0; i < n; i++)
		if (rand() % 8) /* else the command is lost */
			obey(w, node, &out[i], &w->seen[node]);
	for (size_t i = 0; i < w->njobs[node]; i++)
		if (w->jobs[node][i].state != JOB_STATES)
			w->jobs[node][k++] = w->jobs[node][i];
	w->njobs[node] = k;
}

static struct job *entry(struct world *w, unsigned int node, uint64_t epoch)
{
	for (size_t i = 0; i < w->njobs[node]; i++)
		if (w->jobs[node][i].key.epoch == epoch && w->jobs[node][i].state != JOB_RELEASED)
			return &w->jobs[node][i];
	return NULL;
}

/* The image travels: a sending source freezes, and the receiver of the same migration loads it. */
static void travel(struct world *w)
{
	struct job *src = entry(w, w->owner, w->epoch);
	struct job *dst = entry(w, 1 - w->owner, w->epoch + 1);

	if (src && src->mig == MIG_SENDING && src->state == JOB_RUNNING)
		src->state = JOB_FROZEN;
	if (!src || src->state != JOB_FROZEN || !dst || strcmp(src->mig_id, dst->mig_id) != 0)
		return;
	if (dst->state == JOB_WAITING && dst->mig == MIG_PREPARED) {
		dst->mig = MIG_LOADED;
		src->mig = MIG_SENT;
	}
}

static void schedule(struct world *w)
{
	struct job *src = entry(w, w->owner, w->epoch);
	struct job *dst = entry(w, 1 - w->owner, w->epoch + 1);

	if (!w->migrating) {
		if (src && src->state == JOB_RUNNING && rand() % 3 == 0) {
			w->migrating = true;
			w->aborting = false;
			w->phase = PHASE_PREPARE;
			snprintf(w->mig, sizeof(w->mig), "m%u", (unsigned int)++w->next_mig);
		}
		return;
	}
	if (rand() % 25 == 0) {
		w->migrating = false;
		w->aborting = true;
	} else if (dst && !strcmp(dst->mig_id, w->mig) && dst->mig == MIG_PREPARED) {
		w->phase = PHASE_SEND;
	} else if (dst && !strcmp(dst->mig_id, w->mig) && dst->mig == MIG_LOADED) {
		w->migrating = w->aborting = false;
		w->owner = 1 - w->owner;
		w->epoch++;
	}
}

static void check(struct world *w)
{
	unsigned int running = 0;

	for (unsigned int n = 0; n < 2; n++)
		for (size_t i = 0; i < w->njobs[n]; i++)
			running += w->jobs[n][i].state == JOB_RUNNING;
	assert_true(running <= 1);
}

static void a_job_runs_once_at_a_time_and_is_never_thrown_away_over_random_histories(void **state)
{
	uint64_t moves = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 300; seed++) {
		struct world w = {.epoch = 1, .ran_epoch = 1};

		srand(seed);
		for (unsigned int step = 0; step < 1500; step++) {
			unsigned int node = (unsigned int)rand() % 2;

			w.now += rand() % 1500;
			switch (rand() % 5) {
			case 0:
				w.seen[node] = desired_of(&w, node, &w.sees[node]);
				break;
			case 1:
				schedule(&w);
				break;
			case 2:
				travel(&w);
				break;
			default:
				act(&w, node);
				break;
			}
			check(&w);
		}
		/* Left alone with the last desired state, it settles: exactly one runs. */
		w.migrating = false;
		w.aborting = true;
		for (unsigned int i = 0; i < 200; i++) {
			w.now += 2500;
			w.seen[i % 2] = desired_of(&w, i % 2, &w.sees[i % 2]);
			act(&w, i % 2);
			check(&w);
		}
		assert_non_null(entry(&w, w.owner, w.epoch));
		assert_int_equal(entry(&w, w.owner, w.epoch)->state, JOB_RUNNING);
		assert_int_equal(w.njobs[1 - w.owner], 0);
		moves += w.epoch - 1;
	}
	assert_true(moves > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_to_run_is_added_then_started_when_its_bundle_is_there),
		cmocka_unit_test(an_ended_or_lost_attempt_is_never_started_again),
		cmocka_unit_test(
			a_job_that_came_by_migration_is_reported_lost_if_there_is_no_record),
		cmocka_unit_test(a_destination_receives_and_goes_only_when_it_owns_the_epoch),
		cmocka_unit_test(a_receiver_of_another_migration_gives_way),
		cmocka_unit_test(a_source_sends_once_for_each_migration),
		cmocka_unit_test(an_aborted_migration_rebuilds_at_the_source),
		cmocka_unit_test(what_is_no_longer_wanted_is_released_and_forgotten_when_settled),
		cmocka_unit_test(a_cancelled_job_gets_a_second_signal_after_its_grace),
		cmocka_unit_test(a_command_is_not_repeated_at_once_but_is_after_a_while),
		cmocka_unit_test(
			a_job_runs_once_at_a_time_and_is_never_thrown_away_over_random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
