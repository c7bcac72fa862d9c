/* See handoff.h; the layout is that of docs/formats/handoff.md. */
#include "migrator/ferry/handoff.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "common/digest.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/log.h"
#include "migrator/process/descriptors.h"

static const char offer_magic[8] = {'D', 'R', 'V', 'O', 'F', 'F', 'E', 'R'};
static const char verdict_magic[8] = {'D', 'R', 'V', 'R', 'E', 'P', 'L', 'Y'};
static const char late_magic[8] = {'D', 'R', 'V', 'L', 'A', 'T', 'E', '1'};
#define VERSION 1u

static void put(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = n; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

/* One table for both directions. */
struct field {
	size_t offset, size, at;
	bool text;
};
#define NUM(o, f) {o, 8, offsetof(struct handoff_offer, f), false}
#define TXT(o, f) {o, HANDOFF_ID_SIZE, offsetof(struct handoff_offer, f), true}
static const struct field offer_fields[] = {
	NUM(16, attempt),       NUM(24, epoch),
	NUM(32, image_bytes),   NUM(40, log_offset),
	NUM(48, points),        NUM(56, cpu_us[0]),
	NUM(64, cpu_us[1]),     TXT(72, job),
	TXT(136, migration),    TXT(200, sha256),
	TXT(264, secret),       NUM(328, frames),
	NUM(336, save_us),      NUM(344, frozen_mono_ns),
	NUM(352, stdin_offset), NUM(360, descriptors),
};

void handoff_pack_offer(const struct handoff_offer *o, uint8_t out[HANDOFF_OFFER_SIZE])
{
	memset(out, 0, HANDOFF_OFFER_SIZE);
	memcpy(out, offer_magic, sizeof(offer_magic));
	put(out + 8, VERSION, 4);
	put(out + 12, o->isa, 4);
	for (size_t i = 0; i < ARRAY_SIZE(offer_fields); i++) {
		const struct field *f = &offer_fields[i];
		const char *at = (const char *)o + f->at;

		if (f->text)
			memcpy(out + f->offset, at, strnlen(at, f->size));
		else
			put(out + f->offset, *(const uint64_t *)(const void *)at, 8);
	}
}

int handoff_unpack_offer(const uint8_t in[HANDOFF_OFFER_SIZE], struct handoff_offer *o,
			 struct err *e)
{
	memset(o, 0, sizeof(*o));
	if (memcmp(in, offer_magic, sizeof(offer_magic)) != 0)
		return err_set(e, -EPROTO, "this is not a ferry's offer");
	if (get(in + 8, 4) != VERSION)
		return err_set(e, -EPROTO,
			       "the offer has version %" PRIu64 ", this ferry speaks %u",
			       get(in + 8, 4), VERSION);
	if (get(in + 12, 4) >= ISA_COUNT)
		return err_set(e, -EPROTO, "the offer names an unknown ISA");
	o->isa = (enum isa)get(in + 12, 4);
	for (size_t i = 0; i < ARRAY_SIZE(offer_fields); i++) {
		const struct field *f = &offer_fields[i];
		char *at = (char *)o + f->at;

		if (f->text)
			memcpy(at, in + f->offset, f->size); /* the field is a byte longer: ends */
		else
			*(uint64_t *)(void *)at = get(in + f->offset, 8);
	}
	return 0;
}

void handoff_pack_verdict(const struct handoff_verdict *v, uint8_t out[HANDOFF_VERDICT_SIZE])
{
	memset(out, 0, HANDOFF_VERDICT_SIZE);
	memcpy(out, verdict_magic, sizeof(verdict_magic));
	put(out + 8, VERSION, 4);
	put(out + 12, v->code, 4);
	put(out + 16, v->transfer_us, 8);
	put(out + 24, v->load_us, 8);
	memcpy(out + 32, v->text, strnlen(v->text, sizeof(v->text) - 1));
}

int handoff_unpack_verdict(const uint8_t in[HANDOFF_VERDICT_SIZE], struct handoff_verdict *v,
			   struct err *e)
{
	memset(v, 0, sizeof(*v));
	if (memcmp(in, verdict_magic, sizeof(verdict_magic)) != 0 || get(in + 8, 4) != VERSION)
		return err_set(e, -EPROTO, "the other ferry's verdict is not one of version %u",
			       VERSION);
	v->code = (uint32_t)get(in + 12, 4);
	v->transfer_us = get(in + 16, 8);
	v->load_us = get(in + 24, 8);
	memcpy(v->text, in + 32, sizeof(v->text) - 1);
	for (char *p = v->text; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
	return 0;
}

void handoff_pack_late(const uint64_t a[4], uint8_t out[HANDOFF_LATE_SIZE])
{
	memcpy(out, late_magic, sizeof(late_magic));
	for (size_t i = 0; i < 4; i++)
		put(out + 8 + 8 * i, a[i], 8);
}

int handoff_unpack_late(const uint8_t in[HANDOFF_LATE_SIZE], uint64_t a[4], struct err *e)
{
	for (size_t i = 0; i < 4; i++)
		a[i] = get(in + 8 + 8 * i, 8);
	if (memcmp(in, late_magic, sizeof(late_magic)) != 0 || a[0] < 1 || a[0] > 64)
		return err_set(e, -EPROTO, "this is not a late signal");
	return 0;
}

int handoff_agree(const struct handoff_offer *got, const struct handoff_offer *want,
		  uint64_t max_image_bytes, struct err *e)
{
	/* The secret first: who doesn't know it learns nothing else. */
	if (!digest_equal(got->secret, want->secret, HANDOFF_ID_SIZE))
		return err_set(e, -EACCES, "the secret is wrong");
	if (strcmp(got->job, want->job) != 0 || got->attempt != want->attempt)
		return err_set(e, -EACCES, "it is of job %.64s attempt %" PRIu64, got->job,
			       got->attempt);
	if (strcmp(got->migration, want->migration) != 0 || got->epoch != want->epoch)
		return err_set(e, -EACCES, "it is of migration %.64s epoch %" PRIu64,
			       got->migration, got->epoch);
	if (strcmp(got->sha256, want->sha256) != 0)
		return err_set(e, -EACCES, "it is of another bundle, %.64s", got->sha256);
	if (got->descriptors > DESCRIPTORS_MAX)
		return err_set(e, -EMFILE, "it has %" PRIu64 " open descriptors, the limit is %d",
			       got->descriptors, DESCRIPTORS_MAX);
	if (got->image_bytes == 0 || got->image_bytes > max_image_bytes)
		return err_set(e, -EFBIG, "its image has %" PRIu64 " bytes, the limit is %" PRIu64,
			       got->image_bytes, max_image_bytes);
	return 0;
}

/* ---- sender ------------------------------------------------------------- */

static int send_image(struct transport_conn *c, int fd, uint64_t len, const atomic_bool *stop,
		      struct err *e)
{
	struct digest *d = digest_new();
	const uint8_t *p = mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, fd, 0);
	uint8_t size[4], sum[DIGEST_SIZE];
	int r = 0;

	if (p == MAP_FAILED || !d) {
		r = err_sys(e, p == MAP_FAILED ? -errno : -ENOMEM, "cannot read the state image");
		digest_free(d);
		return r;
	}
	for (uint64_t at = 0; at < len && !r;) {
		uint32_t n =
			len - at > HANDOFF_CHUNK_MAX ? HANDOFF_CHUNK_MAX : (uint32_t)(len - at);

		put(size, n, 4);
		r = c->ops->send(c, size, 4, HANDOFF_SILENCE_MS, stop, e);
		if (!r)
			r = c->ops->send(c, p + at, n, HANDOFF_SILENCE_MS, stop, e);
		if (!r)
			r = digest_update(d, p + at, n);
		if (!r && at == 0 && fault_point("ferry.during-send"))
			r = err_set(e, -EIO, "an injected fault while sending");
		at += n;
	}
	if (!r)
		r = digest_final(d, sum);
	if (!r)
		r = c->ops->send(c, sum, sizeof(sum), HANDOFF_SILENCE_MS, stop, e);
	digest_free(d);
	munmap((void *)(uintptr_t)p, (size_t)len);
	return r;
}

static int take_verdict(struct transport_conn *c, const atomic_bool *stop,
			struct handoff_verdict *v, struct err *e)
{
	uint8_t raw[HANDOFF_VERDICT_SIZE];
	int r = c->ops->recv(c, raw, sizeof(raw), HANDOFF_VERDICT_MS, stop, e);

	if (!r)
		r = handoff_unpack_verdict(raw, v, e);
	if (!r && v->code)
		r = err_set(e, v->code < 4096 ? -(int)v->code : -EPROTO, "%s", v->text);
	return r;
}

int handoff_send(const char *endpoint, const struct handoff_offer *o, int image_fd,
		 const atomic_bool *stop, struct handoff_verdict *v, struct transport_conn **conn,
		 struct err *e)
{
	const struct transport *t = transport_find(endpoint);
	struct transport_conn *c = NULL;
	uint8_t raw[HANDOFF_OFFER_SIZE];
	int r = t->connect(endpoint, HANDOFF_SILENCE_MS, stop, &c, e);

	if (r)
		return r;
	handoff_pack_offer(o, raw);
	r = c->ops->send(c, raw, sizeof(raw), HANDOFF_SILENCE_MS, stop, e);
	if (!r)
		r = send_image(c, image_fd, o->image_bytes, stop, e);
	if (!r) {
		r = take_verdict(c, stop, v, e);
	} else if (r == -ECONNRESET || r == -EPIPE) {
		/* Refused half-way: the reason may still be there. */
		struct err why = ERR_INIT;

		if (take_verdict(c, stop, v, &why) && v->code)
			r = err_set(e, why.code, "%s", why.msg);
	}
	if (r)
		c->ops->close(c);
	else
		*conn = c;
	return r;
}

/* ---- receiver ----------------------------------------------------------- */

static int receive_image(struct transport_conn *c, uint64_t len, int fd, const atomic_bool *stop,
			 struct err *e)
{
	struct digest *d = digest_new();
	uint8_t *chunk = malloc(HANDOFF_CHUNK_MAX), size[4], sum[DIGEST_SIZE], want[DIGEST_SIZE];
	uint64_t at = 0;
	int r = d && chunk ? 0 : err_sys(e, -ENOMEM, "cannot take the state image");

	while (!r && at < len) {
		uint64_t n;

		r = c->ops->recv(c, size, 4, HANDOFF_SILENCE_MS, stop, e);
		if (r)
			break;
		n = get(size, 4);
		if (n == 0 || n > HANDOFF_CHUNK_MAX || n > len - at) {
			r = err_set(e, -EPROTO,
				    "a chunk of %" PRIu64 " bytes where at most %" PRIu64
				    " are due",
				    n, len - at);
			break;
		}
		r = c->ops->recv(c, chunk, (size_t)n, HANDOFF_SILENCE_MS, stop, e);
		if (!r)
			r = digest_update(d, chunk, (size_t)n);
		if (!r && (r = file_write_all(fd, chunk, (size_t)n)))
			err_sys(e, r, "cannot keep the state image");
		if (!r && at == 0 && fault_point("ferry.during-receive"))
			r = err_set(e, -EIO, "an injected fault while receiving");
		at += n;
	}
	if (!r)
		r = c->ops->recv(c, want, sizeof(want), HANDOFF_SILENCE_MS, stop, e);
	if (!r)
		r = digest_final(d, sum);
	if (!r && !digest_equal(sum, want, sizeof(sum)))
		r = err_set(e, -EBADMSG, "the image arrived damaged: its SHA-256 differs");
	digest_free(d);
	free(chunk);
	return r;
}

int handoff_answer(struct transport_conn *c, const struct handoff_verdict *v, struct err *e)
{
	uint8_t raw[HANDOFF_VERDICT_SIZE];

	handoff_pack_verdict(v, raw);
	return c->ops->send(c, raw, sizeof(raw), HANDOFF_SILENCE_MS, NULL, e);
}

static void refuse(struct transport_conn *c, const struct err *why)
{
	struct handoff_verdict v = {.code = (uint32_t)(why->code ? -why->code : EPROTO)};

	(void)snprintf(v.text, sizeof(v.text), "%.200s", why->msg);
	(void)handoff_answer(c, &v, NULL);
	log_warn("handoff.refused reason=\"%s\"", why->msg);
	c->ops->close(c);
}

int handoff_receive(struct transport_listener *l, const struct handoff_offer *want,
		    uint64_t max_image_bytes, const char *image_dir, const atomic_bool *stop,
		    struct handoff_offer *got, int *image_fd, uint64_t *transfer_us,
		    struct transport_conn **conn, struct err *e)
{
	for (;;) {
		uint8_t raw[HANDOFF_OFFER_SIZE];
		struct transport_conn *c = NULL;
		uint64_t begun;
		int r = l->ops->accept(l, stop, &c, e);

		if (r)
			return r;
		err_clear(e);
		r = c->ops->recv(c, raw, sizeof(raw), HANDOFF_SILENCE_MS, stop, e);
		if (!r)
			r = handoff_unpack_offer(raw, got, e);
		if (!r)
			r = handoff_agree(got, want, max_image_bytes, e);
		if (r == -ECANCELED) {
			c->ops->close(c);
			return r;
		}
		if (r) {
			refuse(c, e);
			continue;
		}
		begun = clock_monotonic_ns();
		if (fault_point("ferry.after-accept"))
			r = err_set(e, -EIO, "an injected fault after accepting");
		*image_fd = file_unnamed(image_dir, "image");
		if (!r && *image_fd < 0)
			r = err_sys(e, *image_fd, "cannot make a file for the state image in %s",
				    image_dir ? image_dir : "memory");
		if (!r)
			r = receive_image(c, got->image_bytes, *image_fd, stop, e);
		*transfer_us = (clock_monotonic_ns() - begun) / NS_PER_US;
		if (!r && fault_point("ferry.after-receive"))
			r = err_set(e, -EIO, "an injected fault after receiving");
		if (!r) {
			*conn = c;
			return 0;
		}
		if (*image_fd >= 0)
			close(take_fd(image_fd));
		refuse(c, e);
		return r;
	}
}
