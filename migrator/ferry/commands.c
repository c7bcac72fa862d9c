/* What a ferry does when told (docs/formats/ferry.md, "Socket"). */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "common/clock.h"
#include "common/fault.h"
#include "migrator/ferry/ferry.h"

static bool same_migration(const struct ferry *f, const struct serve_request *r)
{
	return !strcmp(f->status.migration.id, r->migration);
}

static int wrong_state(const struct ferry *f, const char *cmd, struct err *e)
{
	return err_set(e, -EINVAL, "%s does not apply to a job that is %s", cmd,
		       ferry_state_name(f->status.state));
}

static int do_send(struct ferry *f, const struct serve_request *r, struct err *e)
{
	struct ferry_migration *m = &f->status.migration;
	int rc;

	/* It stands already, or has been through: saying it again changes nothing. */
	if (same_migration(f, r) && m->state != FERRY_MIGRATION_ABORTED)
		return 0;
	if (same_migration(f, r))
		return err_set(e, -ECANCELED, "migration %s was aborted", r->migration);
	if (f->status.state != FERRY_RUNNING || f->aborting)
		return f->aborting ? err_set(e, -EAGAIN, "the job is still being rebuilt")
				   : wrong_state(f, "send", e);
	if (fault_point("ferry.before-capture"))
		return err_set(e, -EIO, "an injected fault before the capture");
	/* A request that still stands is repeated: this one may be to another kernel. */
	ferry_close_late(f); /* of the migration before */
	ferry_close_passage(f);
	f->worker.here_fd = here_connect(r->secret);
	rc = process_request_capture(f->proc, f->worker.here_fd >= 0, e);
	if (rc)
		return rc;
	f->abort_on_capture = false;
	memset(m, 0, sizeof(*m));
	(void)snprintf(m->id, sizeof(m->id), "%s", r->migration);
	(void)snprintf(f->endpoint, sizeof(f->endpoint), "%s", r->endpoint);
	(void)snprintf(f->secret, sizeof(f->secret), "%s", r->secret);
	f->next_epoch = r->next_epoch;
	f->status.state = FERRY_CAPTURING;
	m->state = FERRY_MIGRATION_CAPTURING;
	ferry_publish(f);
	return 0;
}

static int abort_source(struct ferry *f, struct err *e)
{
	int rc = 0;

	if (fault_point("ferry.before-abort"))
		return err_set(e, -EIO, "an injected fault before the abort");
	ferry_stop_worker(f);
	ferry_close_late(f);
	if (f->status.state == FERRY_CAPTURING)
		f->abort_on_capture = true; /* the request can't be taken back */
	else
		rc = process_abort(f->proc, e);
	if (rc)
		return rc;
	f->aborting = f->status.state == FERRY_FROZEN;
	f->status.state = FERRY_RUNNING;
	f->status.migration.state = FERRY_MIGRATION_ABORTED;
	ferry_publish(f);
	return fault_point("ferry.after-abort")
		       ? err_set(e, -EIO, "an injected fault after the abort")
		       : 0;
}

static int do_abort(struct ferry *f, const struct serve_request *r, struct err *e)
{
	if (!same_migration(f, r) || f->status.migration.state == FERRY_MIGRATION_ABORTED)
		return 0; /* it isn't under way (any more) */
	switch (f->status.state) {
	case FERRY_CAPTURING:
	case FERRY_FROZEN:
		return f->releasing ? wrong_state(f, "abort", e) : abort_source(f, e);
	case FERRY_RECEIVING:
	case FERRY_LOADED:
		if (f->going)
			return err_set(e, -EINVAL, "the job has been told to run");
		ferry_stop_worker(f);
		f->status.migration.state = FERRY_MIGRATION_ABORTED;
		ferry_finish(f, FERRY_FAILED, "the migration was aborted");
		return 0;
	case FERRY_RUNNING:
		return 0;
	default:
		return wrong_state(f, "abort", e);
	}
}

static int do_release(struct ferry *f, const struct serve_request *r, struct err *e)
{
	int rc;

	if (f->status.state == FERRY_RELEASED || f->releasing)
		return 0;
	if (f->status.state != FERRY_FROZEN)
		return wrong_state(f, "release", e);
	if (!same_migration(f, r))
		return err_set(e, -EINVAL, "the job stands still for migration %s, not %s",
			       f->status.migration.id, r->migration);
	if (fault_point("ferry.before-release"))
		return err_set(e, -EIO, "an injected fault before the release");
	/* The verdict is on its way, and signals that came late go where it comes from. */
	ferry_await_worker(f);
	ferry_stop_worker(f);
	rc = process_commit(f->proc, e);
	if (rc)
		return rc;
	f->releasing = true;
	f->release_ns = clock_monotonic_ns();
	return fault_point("ferry.after-release")
		       ? err_set(e, -EIO, "an injected fault after the release")
		       : 0;
}

static int do_go(struct ferry *f, const struct serve_request *r, struct err *e)
{
	int rc;

	if (r->epoch != f->status.epoch)
		return err_set(e, -ESTALE,
			       "the job was received for epoch %" PRIu64 ", not %" PRIu64,
			       f->status.epoch, r->epoch);
	if (f->going || (same_migration(f, r) && f->status.state == FERRY_RUNNING))
		return 0;
	if (f->status.state != FERRY_LOADED)
		return wrong_state(f, "go", e);
	if (!same_migration(f, r))
		return err_set(e, -EINVAL, "the job was received by migration %s, not %s",
			       f->status.migration.id, r->migration);
	if (fault_point("ferry.before-go"))
		return err_set(e, -EIO, "an injected fault before go");
	rc = process_go(f->proc, e);
	if (!rc)
		f->going = true;
	return rc;
}

static int do_cancel(struct ferry *f, const struct serve_request *r, struct err *e)
{
	bool runs = f->status.state == FERRY_RUNNING || f->status.state == FERRY_CAPTURING ||
		    f->status.state == FERRY_STARTING;
	int rc;

	if (ferry_state_final(f->status.state))
		return 0;
	if (!f->proc) {
		ferry_stop_worker(f);
		f->status.signal = r->signal;
		ferry_finish(f, FERRY_EXITED, "cancelled before it came here");
		return 0;
	}
	/* What stands still can't take a signal but this one. */
	rc = process_signal(f->proc, runs ? r->signal : SIGKILL);
	return rc && rc != -ESRCH ? err_sys(e, rc, "cannot signal the job") : 0;
}

void ferry_command_handler(void *arg, const struct serve_request *r, struct ferry_answer *a)
{
	struct ferry *f = arg;
	struct err e = ERR_INIT;
	int rc = 0;

	if (r->cmd != FERRY_CMD_STATUS && r->epoch < f->status.epoch)
		rc = err_set(&e, -ESTALE,
			     "the order is of epoch %" PRIu64 ", the job's is %" PRIu64, r->epoch,
			     f->status.epoch);
	else if (r->cmd == FERRY_CMD_STATUS)
		ferry_count_cpu(f);
	else if (r->cmd == FERRY_CMD_SEND)
		rc = do_send(f, r, &e);
	else if (r->cmd == FERRY_CMD_ABORT)
		rc = do_abort(f, r, &e);
	else if (r->cmd == FERRY_CMD_RELEASE)
		rc = do_release(f, r, &e);
	else if (r->cmd == FERRY_CMD_GO)
		rc = do_go(f, r, &e);
	else
		rc = do_cancel(f, r, &e);
	a->ok = rc == 0;
	a->code = rc;
	(void)snprintf(a->error, sizeof(a->error), "%.250s", e.msg);
	(void)snprintf(a->hint, sizeof(a->hint), "%.250s", e.hint);
}
