/*
 * The hand-off between two ferries (docs/formats/handoff.md): records, and the
 * two sides' exchanges. The exchanges block and run on a thread of their own.
 */
#ifndef DROVER_FERRY_HANDOFF_H
#define DROVER_FERRY_HANDOFF_H

#include <stdint.h>

#include "common/isa.h"
#include "migrator/ferry/transport.h"

#define HANDOFF_OFFER_SIZE   512
#define HANDOFF_VERDICT_SIZE 256
#define HANDOFF_LATE_SIZE    40
#define HANDOFF_CHUNK_MAX    (1u << 20)
#define HANDOFF_SILENCE_MS   30000
#define HANDOFF_VERDICT_MS   120000 /* loading a large image takes its time */
#define HANDOFF_ID_SIZE      64

struct handoff_offer {
	enum isa isa;
	uint64_t attempt, epoch, image_bytes, log_offset, points;
	uint64_t cpu_us[ISA_COUNT];
	char job[HANDOFF_ID_SIZE + 1];
	char migration[HANDOFF_ID_SIZE + 1];
	char sha256[HANDOFF_ID_SIZE + 1];
	char secret[HANDOFF_ID_SIZE + 1];
	uint64_t frames, save_us, frozen_mono_ns, stdin_offset;
	uint64_t descriptors; /* that come through the passage of here.h */
};

struct handoff_verdict {
	uint32_t code; /* 0: loaded */
	uint64_t transfer_us, load_us;
	char text[224];
};

/* Pure. Unpacking trusts nothing: -EPROTO with what is wrong. */
void handoff_pack_offer(const struct handoff_offer *o, uint8_t out[HANDOFF_OFFER_SIZE]);
int handoff_unpack_offer(const uint8_t in[HANDOFF_OFFER_SIZE], struct handoff_offer *o,
			 struct err *e);
void handoff_pack_verdict(const struct handoff_verdict *v, uint8_t out[HANDOFF_VERDICT_SIZE]);
int handoff_unpack_verdict(const uint8_t in[HANDOFF_VERDICT_SIZE], struct handoff_verdict *v,
			   struct err *e);

/*
 * Whether an offer is the one that was prepared for: job, migration, bundle,
 * attempt, epoch, secret (in constant time), and an image of at most max bytes.
 * -EACCES with what differs (never the secret itself). Pure.
 */
int handoff_agree(const struct handoff_offer *got, const struct handoff_offer *want,
		  uint64_t max_image_bytes, struct err *e);

/* A late signal, as PROCESS_LATE says it. Unpacking trusts nothing: -EPROTO. */
void handoff_pack_late(const uint64_t a[4], uint8_t out[HANDOFF_LATE_SIZE]);
int handoff_unpack_late(const uint8_t in[HANDOFF_LATE_SIZE], uint64_t a[4], struct err *e);

/* Sender: offer and image (from the beginning of image_fd), then the verdict. 0: loaded there, and
 * *conn, which the caller owns, is for late signals. */
int handoff_send(const char *endpoint, const struct handoff_offer *o, int image_fd,
		 const atomic_bool *stop, struct handoff_verdict *v, struct transport_conn **conn,
		 struct err *e);

/*
 * Receiver: accepts senders until one agrees with want, and takes its image.
 * 0: *got is its offer, *image_fd a nameless file in image_dir (NULL: in memory), *conn waits for
 * the verdict; the caller owns both. transfer_us: from the offer to the whole image.
 */
int handoff_receive(struct transport_listener *l, const struct handoff_offer *want,
		    uint64_t max_image_bytes, const char *image_dir, const atomic_bool *stop,
		    struct handoff_offer *got, int *image_fd, uint64_t *transfer_us,
		    struct transport_conn **conn, struct err *e);

/* Receiver: the verdict. */
int handoff_answer(struct transport_conn *c, const struct handoff_verdict *v, struct err *e);

#endif
