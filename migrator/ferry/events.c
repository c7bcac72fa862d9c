/* What a ferry makes of what its process says (docs/formats/control.md). */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "migrator/ferry/ferry.h"

static uint64_t now_ms(void)
{
	return clock_realtime_ns() / NS_PER_MS;
}

/* Leaves the frozen state by the process's own rebuild. */
static void run_on(struct ferry *f)
{
	struct err e = ERR_INIT;

	f->abort_on_capture = false;
	if (process_abort(f->proc, &e))
		log_err(LOG_LEVEL_ERROR, "process.abort", &e);
	f->aborting = true;
}

static void captured(struct ferry *f, const struct process_event *ev)
{
	struct ferry_migration *m = &f->status.migration;
	uint64_t took_ns = ev->a[3] + ev->a[4];
	struct err e = ERR_INIT;

	ferry_drain(f);
	ferry_count_cpu(f);
	f->status.points = ev->a[2];
	if (f->abort_on_capture || f->status.state != FERRY_CAPTURING) {
		run_on(f);
		return;
	}
	m->image_bytes = ev->a[0];
	m->frames = ev->a[1];
	m->save_us = took_ns / NS_PER_US;
	/* It stood still from the beginning of the capture, not from when we heard of it. */
	m->frozen_ms = now_ms() - took_ns / NS_PER_MS;
	m->frozen_mono_ns = clock_monotonic_ns() - took_ns;
	f->status.state = FERRY_FROZEN;
	m->state = FERRY_MIGRATION_SENDING;
	m->reason[0] = '\0';
	ferry_publish(f);
	if (fault_point("ferry.after-capture")) {
		ferry_fail_migration(f, "an injected fault after the capture");
		return;
	}
	if (ferry_start_sender(f, &e))
		ferry_fail_migration(f, e.msg);
}

static void refused(struct ferry *f, const char *text)
{
	if (f->status.state == FERRY_RECEIVING) {
		ferry_fail_migration(f, text);
		return;
	}
	if (f->status.state != FERRY_CAPTURING)
		return;
	f->status.state = FERRY_RUNNING;
	f->abort_on_capture = false;
	ferry_fail_migration(f, text);
}

/* The sender hears it before the agent is told, so that neither waits for the other. */
static void loaded(struct ferry *f, const struct process_event *ev)
{
	struct ferry_migration *m = &f->status.migration;
	struct worker *w = &f->worker;
	struct handoff_verdict v = {.code = 0};
	struct err e = ERR_INIT;

	if (f->status.state != FERRY_RECEIVING || !w->conn)
		return;
	m->load_us = (clock_monotonic_ns() - f->load_begun_ns) / NS_PER_US;
	if (!m->frames)
		m->frames = ev->a[1];
	if (fault_point("ferry.after-load") || fault_point("ferry.before-ack")) {
		ferry_fail_migration(f, "an injected fault after loading");
		return;
	}
	v.transfer_us = w->transfer_us;
	v.load_us = m->load_us;
	if (handoff_answer(w->conn, &v, &e)) {
		ferry_fail_migration(f, e.msg);
		return;
	}
	f->late = w->conn;
	w->conn = NULL;
	close(take_fd(&w->image_fd));
	ferry_close_passage(f);
	f->status.state = FERRY_LOADED;
	m->state = FERRY_MIGRATION_LOADED;
	if (fault_point("ferry.after-ack"))
		log_warn("fault.ignored reason=\"the verdict has been given\"");
	ferry_publish(f);
}

static void resumed(struct ferry *f, const struct process_event *ev)
{
	struct ferry_migration *m = &f->status.migration;

	if (f->aborting) {
		f->aborting = false;
		return;
	}
	if (!f->going)
		return;
	f->going = false;
	f->status.state = FERRY_RUNNING;
	f->status.started_ms = f->status.started_ms ? f->status.started_ms : now_ms();
	m->state = FERRY_MIGRATION_RUNNING;
	m->rebuild_us = ev->a[0] / NS_PER_US;
	m->resumed_ms = now_ms();
	m->resumed_mono_ns = clock_monotonic_ns();
	ferry_publish(f);
	if (fault_point("ferry.after-go"))
		log_warn("fault.ignored reason=\"the job runs\"");
}

static void exited(struct ferry *f, int status)
{
	ferry_drain(f);
	ferry_count_cpu(f);
	if (f->releasing) {
		f->status.migration.state = FERRY_MIGRATION_RELEASED;
		ferry_finish(f, FERRY_RELEASED, NULL);
		return;
	}
	f->status.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	f->status.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	if (f->status.state == FERRY_RECEIVING) {
		char why[96];

		(void)snprintf(why, sizeof(why), "the process that loads the image ended (%s %d)",
			       WIFSIGNALED(status) ? "signal" : "exit code",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		ferry_fail_migration(f, why);
		return;
	}
	ferry_stop_worker(f);
	ferry_finish(f, FERRY_EXITED, NULL);
}

void ferry_process_event(struct ferry *f, const struct process_event *ev)
{
	switch (ev->type) {
	case PROCESS_HELLO:
		if (f->status.state == FERRY_STARTING) {
			f->status.state = FERRY_RUNNING;
			f->status.started_ms = now_ms();
			ferry_publish(f);
		}
		break;
	case PROCESS_CAPTURED:
		captured(f, ev);
		break;
	case PROCESS_DEFERRED:
		if (f->status.state != FERRY_CAPTURING)
			break;
		f->status.migration.state = FERRY_MIGRATION_DEFERRED;
		(void)snprintf(f->status.migration.reason, sizeof(f->status.migration.reason), "%s",
			       ev->text);
		ferry_publish(f);
		break;
	case PROCESS_REFUSED:
		refused(f, ev->text);
		break;
	case PROCESS_LOADED:
		loaded(f, ev);
		break;
	case PROCESS_RESUMED:
		resumed(f, ev);
		break;
	case PROCESS_POINTS:
		f->status.points = ev->a[0];
		break;
	case PROCESS_LATE:
		ferry_send_late(f, ev->a);
		break;
	case PROCESS_EXITED:
		exited(f, ev->wait_status);
		break;
	case PROCESS_PROTOCOL:
		log_error("process.protocol reason=\"%s\"", ev->text);
		(void)process_signal(f->proc, SIGKILL);
		break;
	}
}
