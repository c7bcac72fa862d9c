/* The worker thread of a ferry: an image out or in. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/id.h"
#include "common/log.h"
#include "migrator/ferry/ferry.h"

#define LATE_MS 1000

static int receive(struct worker *w)
{
	int r = handoff_receive(w->listener, &w->offer, w->max_image_bytes, w->image_dir, &w->stop,
				&w->got, &w->image_fd, &w->transfer_us, &w->conn, &w->err);

	if (r || !w->got.descriptors)
		return r;
	return here_receive(w->here_fd, w->offer.secret, (unsigned int)w->got.descriptors, &w->stop,
			    &w->given, &w->err);
}

static int send_out(struct worker *w)
{
	if (fault_point("ferry.before-send"))
		return err_set(&w->err, -EIO, "an injected fault before sending");
	return handoff_send(w->endpoint, &w->offer, w->image_fd, &w->stop, &w->verdict, &w->conn,
			    &w->err);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t one = 1;

	w->code = w->receives ? receive(w) : send_out(w);
	if (write(w->done_fd, &one, sizeof(one)) < 0)
		log_error("worker.unheard errno=%d", errno);
	return NULL;
}

static int start_worker(struct worker *w, struct err *e)
{
	atomic_store(&w->stop, false);
	w->code = 0;
	err_clear(&w->err);
	if (w->done_fd < 0)
		w->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->done_fd < 0 || pthread_create(&w->thread, NULL, worker_main, w))
		return err_set(e, -EAGAIN, "cannot start a thread for the hand-off");
	w->running = true;
	return 0;
}

static void fill_ids(const struct ferry *f, struct handoff_offer *o)
{
	(void)snprintf(o->job, sizeof(o->job), "%s", f->spec.s.job);
	(void)snprintf(o->sha256, sizeof(o->sha256), "%s", f->spec.s.sha256);
	o->attempt = f->spec.s.attempt;
}

int ferry_start_sender(struct ferry *f, struct err *e)
{
	struct worker *w = &f->worker;
	const struct ferry_status *s = &f->status;
	off_t at = f->stdin_fd >= 0 ? lseek(f->stdin_fd, 0, SEEK_CUR) : 0;
	int r;

	memset(&w->offer, 0, sizeof(w->offer));
	fill_ids(f, &w->offer);
	w->offer.isa = f->spec.s.isa;
	w->offer.epoch = f->next_epoch;
	w->offer.image_bytes = s->migration.image_bytes;
	w->offer.log_offset = s->log_bytes;
	w->offer.points = s->points;
	w->offer.frames = s->migration.frames;
	w->offer.save_us = s->migration.save_us;
	w->offer.frozen_mono_ns = s->migration.frozen_mono_ns;
	w->offer.stdin_offset = at > 0 ? (uint64_t)at : 0;
	memcpy(w->offer.cpu_us, s->cpu_us_by_isa, sizeof(w->offer.cpu_us));
	(void)snprintf(w->offer.migration, sizeof(w->offer.migration), "%s", s->migration.id);
	(void)snprintf(w->offer.secret, sizeof(w->offer.secret), "%s", f->secret);
	(void)snprintf(w->endpoint, sizeof(w->endpoint), "%s", f->endpoint);
	w->receives = false;
	w->image_fd = process_image_fd(f->proc);
	w->offer.descriptors = process_given(f->proc)->n;
	r = w->offer.descriptors ? here_send(w->here_fd, f->secret, process_given(f->proc), e) : 0;
	return r ? r : start_worker(w, e);
}

void ferry_send_late(struct ferry *f, const uint64_t a[4])
{
	uint8_t raw[HANDOFF_LATE_SIZE];
	struct err e = ERR_INIT;

	handoff_pack_late(a, raw);
	if (!f->late || f->late->ops->send(f->late, raw, sizeof(raw), LATE_MS, NULL, &e))
		log_warn("signal.lost signal=%" PRIu64 " reason=\"%s\"", a[0], e.msg);
}

void ferry_take_late(struct ferry *f)
{
	uint8_t raw[HANDOFF_LATE_SIZE];
	struct err e = ERR_INIT;
	uint64_t a[4];
	int r = f->late->ops->recv(f->late, raw, sizeof(raw), LATE_MS, NULL, &e);

	if (!r)
		r = handoff_unpack_late(raw, a, &e);
	if (!r && f->proc)
		r = process_pass_signal(f->proc, a, &e);
	if (r)
		ferry_close_late(f);
}

void ferry_close_late(struct ferry *f)
{
	if (f->late)
		f->late->ops->close(f->late);
	f->late = NULL;
}

void ferry_close_passage(struct ferry *f)
{
	descriptors_drop(&f->worker.given);
	if (f->worker.here_fd >= 0)
		close(take_fd(&f->worker.here_fd));
}

int ferry_start_receiver(struct ferry *f, struct err *e)
{
	struct worker *w = &f->worker;
	struct ferry_migration *m = &f->status.migration;
	const struct transport *t = transport_find(f->spec.s.listen);
	int r;

	(void)snprintf(m->id, sizeof(m->id), "%s", f->spec.s.migration);
	r = id_random(m->secret, sizeof(m->secret), 32);
	if (r)
		return err_sys(e, r, "no random numbers for a secret");
	r = t->listen(f->spec.s.listen, &w->listener, m->endpoint, sizeof(m->endpoint), e);
	if (r)
		return r;
	w->here_fd = here_listen(m->secret);
	if (w->here_fd < 0)
		log_warn("passage.none errno=%d", -w->here_fd);
	memset(&w->offer, 0, sizeof(w->offer));
	fill_ids(f, &w->offer);
	w->offer.epoch = f->spec.s.epoch;
	(void)snprintf(w->offer.migration, sizeof(w->offer.migration), "%s", m->id);
	(void)snprintf(w->offer.secret, sizeof(w->offer.secret), "%s", m->secret);
	w->max_image_bytes = f->spec.s.max_image_bytes;
	w->image_dir = f->dir;
	w->receives = true;
	w->image_fd = -1;
	m->state = FERRY_MIGRATION_PREPARED;
	f->status.state = FERRY_RECEIVING;
	return start_worker(w, e);
}

/* The image is here: its half may load it. */
static void load(struct ferry *f)
{
	struct worker *w = &f->worker;
	struct ferry_status *s = &f->status;
	struct err e = ERR_INIT;

	w->listener->ops->unlisten(w->listener);
	w->listener = NULL;
	s->migration.state = FERRY_MIGRATION_RECEIVING;
	s->migration.image_bytes = w->got.image_bytes;
	s->migration.frames = w->got.frames;
	s->migration.save_us = w->got.save_us;
	s->migration.transfer_us = w->transfer_us;
	s->points = w->got.points;
	s->log_base = s->log_bytes = w->got.log_offset;
	memcpy(f->cpu_before, w->got.cpu_us, sizeof(f->cpu_before));
	ferry_count_cpu(f);
	if (f->stdin_fd >= 0)
		(void)lseek(f->stdin_fd, (off_t)w->got.stdin_offset, SEEK_SET);
	if (fault_point("ferry.before-load"))
		(void)err_set(&e, -EIO, "an injected fault before loading");
	f->load_begun_ns = clock_monotonic_ns();
	if (!e.code)
		(void)state_image_check(w->image_fd, &f->image, &e);
	if (!e.code && lseek(w->image_fd, 0, SEEK_SET) < 0)
		(void)err_sys(&e, -errno, "cannot rewind the state image");
	if (!e.code)
		(void)ferry_start_process(f, w->image_fd, &e);
	if (e.code) {
		ferry_fail_migration(f, e.msg);
		return;
	}
	ferry_publish(f);
}

void ferry_worker_done(struct ferry *f)
{
	struct worker *w = &f->worker;
	uint64_t count;

	if (!w->running || read(w->done_fd, &count, sizeof(count)) != sizeof(count))
		return;
	(void)pthread_join(w->thread, NULL);
	w->running = false;
	if (w->receives) {
		if (w->code)
			ferry_fail_migration(f, w->err.msg);
		else
			load(f);
		return;
	}
	/* Aborted or released meanwhile: nobody asks how it went. */
	if (f->status.state != FERRY_FROZEN || f->status.migration.state != FERRY_MIGRATION_SENDING)
		return;
	if (w->code) {
		ferry_fail_migration(f, w->err.msg);
		return;
	}
	f->late = w->conn;
	w->conn = NULL;
	f->status.migration.state = FERRY_MIGRATION_SENT;
	f->status.migration.transfer_us = w->verdict.transfer_us;
	f->status.migration.load_us = w->verdict.load_us;
	if (fault_point("ferry.after-send")) {
		ferry_fail_migration(f, "an injected fault after sending");
		return;
	}
	ferry_publish(f);
}

void ferry_await_worker(struct ferry *f)
{
	struct pollfd p = {.fd = f->worker.done_fd, .events = POLLIN};

	if (f->worker.running && poll(&p, 1, LATE_MS) == 1)
		ferry_worker_done(f);
}

void ferry_stop_worker(struct ferry *f)
{
	struct worker *w = &f->worker;
	uint64_t count;

	if (w->running) {
		atomic_store(&w->stop, true);
		(void)pthread_join(w->thread, NULL);
		w->running = false;
		if (read(w->done_fd, &count, sizeof(count)) < 0)
			log_debug("worker.silent errno=%d", errno);
	}
	if (w->listener)
		w->listener->ops->unlisten(w->listener);
	w->listener = NULL;
}
