/* What is known of registers and frame slots at a point of a function. */
#ifndef DROVER_MACHINE_STATE_H
#define DROVER_MACHINE_STATE_H

#include "binaries/machine/micro.h"

enum value_kind {
	VALUE_PLAIN,  /* nothing of interest */
	VALUE_CONST,  /* n; named: an instruction that forms addresses made it */
	VALUE_STACK,  /* an address n bytes above the frame's top (below: negative) */
	VALUE_LOST,   /* an address of the stack, or something computed from one */
	VALUE_RECORD, /* n bytes into the payload of a frame record of at least `size` bytes */
	VALUE_SITE,   /* the row of a site, of at least `size` bytes, of the function in table n */
};

struct value {
	enum value_kind kind;
	bool named;
	uint32_t size;
	int64_t n;
};

/* A word of the frame that holds more than VALUE_PLAIN. */
struct slot {
	int64_t at;
	struct value v;
};

/* Of a landing pad: it has asked for the record of a function inlined here, or of this one. */
enum pad_progress { PAD_NONE, PAD_ENTERED, PAD_INLINED, PAD_ASKED, PAD_MIXED };

struct state {
	bool reached;
	enum pad_progress pad;
	struct value reg[MACHINE_REGS];
	struct slot *slots;
	size_t n, cap;
};

static inline bool value_is_stack(struct value v)
{
	return v.kind == VALUE_STACK || v.kind == VALUE_LOST;
}

void state_free(struct state *s);
int state_copy(struct state *to, const struct state *from);

/* Makes TO say what holds if either does. 1 if that changed TO, 0, -ENOMEM. */
int state_join(struct state *to, const struct state *from);

struct value state_address(const struct state *s, const struct place *p);
struct value state_read(const struct state *s, const struct place *p);
int state_write(struct state *s, const struct place *p, struct value v);

/* The words of [at, at + n): an address of the stack among them? */
bool state_holds_address(const struct state *s, int64_t at, uint64_t n);

#endif
