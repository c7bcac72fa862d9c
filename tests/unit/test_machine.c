/* The check of machine code, on functions assembled here. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binaries/machine/follow.h"
#include "binaries/machine/unwind.h"

enum { BASE = 0x1000, POLL = 0x8000, FRAME = 0x8100, RESUME = 0x8200, MEMCPY = 0x8300 };

/* A function `f` with one site that saves one word, and `inner`, which was inlined into it. */
static const char table[] = "V 1\nM m m.c\n"
			    "F 1122334455667788 f 1 0\nS 0 poll - 2 8\nL 0 8 ptr p\n"
			    "F 0000000000000099 inner 1 0\nS 0 poll - 2 16\nL 0 16 bytes b\n";

struct code {
	unsigned char b[512];
	size_t n;
	struct machine_site pads[4];
	size_t npads;
};

#define PUT(c, bytes) put(c, bytes, sizeof(bytes) - 1)

static void put(struct code *c, const char *bytes, size_t n)
{
	memcpy(c->b + c->n, bytes, n);
	c->n += n;
}

static void put32(struct code *c, uint32_t v)
{
	put(c, (const char *)&v, sizeof(v));
}

static void call(struct code *c, uint32_t to)
{
	PUT(c, "\xe8");
	put32(c, to - (uint32_t)(BASE + c->n + 4));
}

/* A call with a landing pad, to be set. */
static void invoke(struct code *c)
{
	uint64_t start = BASE + c->n;

	call(c, POLL);
	c->pads[c->npads++] = (struct machine_site){start, BASE + c->n, 0};
}

static void pad_here(struct code *c, size_t k)
{
	c->pads[k].pad = BASE + c->n;
}

static void ask(struct code *c, const char *id, uint32_t site, uint32_t size)
{
	PUT(c, "\x48\xbf"); /* movabs $id, %rdi */
	put(c, id, 8);
	PUT(c, "\xbe"); /* mov $site, %esi */
	put32(c, site);
	PUT(c, "\xba"); /* mov $size, %edx */
	put32(c, size);
	call(c, FRAME);
}

#define OF_F     "\x88\x77\x66\x55\x44\x33\x22\x11"
#define OF_INNER "\x99\x00\x00\x00\x00\x00\x00\x00"

/* push %rbx; sub $32, %rsp */
static void prologue(struct code *c)
{
	PUT(c, "\x53\x48\x83\xec\x20");
}

/* add $32, %rsp; pop %rbx; ret */
static void epilogue(struct code *c)
{
	PUT(c, "\x48\x83\xc4\x20\x5b\xc3");
}

static void resume(struct code *c)
{
	PUT(c, "\x4c\x89\xf7"); /* mov %r14, %rdi */
	call(c, RESUME);
}

/* A function that makes one call after BEFORE, up to the begin of its landing pad. */
static struct code one_call(const char *before, size_t n)
{
	struct code c = {0};

	prologue(&c);
	put(&c, before, n);
	invoke(&c);
	epilogue(&c);
	pad_here(&c, 0);
	return c;
}

#define ONE_CALL(before) one_call(before, sizeof(before) - 1)

static int follow(const struct machine_abi *abi, const struct code *c, struct machine_found *found,
		  struct err *err)
{
	struct transform t;
	struct machine_program p = {.abi = abi,
				    .transform = &t,
				    .frame = FRAME,
				    .resume = RESUME,
				    .copy = MEMCPY,
				    .own_start = 0x700000,
				    .own_end = 0x710000};
	struct machine_function f = {.id = 0x1122334455667788,
				     .code = c->b,
				     .addr = BASE,
				     .len = c->n,
				     .pads = c->pads,
				     .npads = c->npads};
	int r;

	assert_int_equal(transform_parse(&t, table, sizeof(table) - 1, err), 0);
	*found = (struct machine_found){0};
	r = machine_follow(&p, &f, found, err);
	transform_free(&t);
	return r;
}

static void refuses(const struct code *c, const char *why)
{
	struct machine_found found;
	struct err err = ERR_INIT;

	assert_int_equal(follow(&machine_x86_64, c, &found, &err), -EILSEQ);
	assert_non_null(strstr(err.msg, why));
}

static void accepts(const struct code *c, size_t stores)
{
	struct machine_found found;
	struct err err = ERR_INIT;
	int r = follow(&machine_x86_64, c, &found, &err);

	if (r)
		print_error("%s\n", err.msg);
	assert_int_equal(r, 0);
	assert_int_equal(found.stores, stores);
	assert_int_equal(found.pads, c->npads);
}

static void a_pad_that_saves_a_value_passes(void **state)
{
	struct code c = ONE_CALL("\x48\x89\xfb"); /* mov %rdi, %rbx */

	(void)state;
	ask(&c, OF_F, 0, 8);
	PUT(&c, "\x48\x89\x18"); /* mov %rbx, (%rax) */
	resume(&c);
	accepts(&c, 1);
}

static void an_address_of_the_frame_in_a_saved_slot_is_found(void **state)
{
	struct code c = ONE_CALL("\x48\x8d\x5c\x24\x08"); /* lea 8(%rsp), %rbx */

	(void)state;
	ask(&c, OF_F, 0, 8);
	PUT(&c, "\x48\x89\x18"); /* mov %rbx, (%rax) */
	resume(&c);
	refuses(&c, "saves an address of the native stack");
}

static void an_address_that_was_spilled_and_offset_on_one_path_is_found(void **state)
{
	struct code c = ONE_CALL("\x48\x89\x7c\x24\x10" /* mov %rdi, 16(%rsp) */
				 "\x85\xff\x74\x0a"     /* test %edi, %edi; je over */
				 "\x48\x8d\x1c\x24"     /* lea (%rsp), %rbx */
				 "\x48\x01\xc3"         /* add %rax, %rbx */
				 "\x90\x90\x90"
				 "\x48\x89\x5c\x24\x10" /* over: mov %rbx, 16(%rsp) */);

	(void)state;
	ask(&c, OF_F, 0, 8);
	PUT(&c, "\x48\x8b\x4c\x24\x10"); /* mov 16(%rsp), %rcx */
	PUT(&c, "\x48\x89\x08");         /* mov %rcx, (%rax) */
	resume(&c);
	refuses(&c, "saves an address of the native stack");
}

static void an_address_among_copied_bytes_is_found(void **state)
{
	struct code c = ONE_CALL("\x48\x8d\x1c\x24" /* lea (%rsp), %rbx */
				 "\x48\x89\x5c\x24\x18" /* mov %rbx, 24(%rsp) */);

	(void)state;
	ask(&c, OF_INNER, 0, 16);
	PUT(&c, "\x48\x89\xc7\x48\x8d\x74\x24\x10"); /* mov %rax, %rdi; lea 16(%rsp), %rsi */
	PUT(&c, "\xba\x10\x00\x00\x00");             /* mov $16, %edx */
	call(&c, MEMCPY);
	ask(&c, OF_F, 0, 8);
	resume(&c);
	refuses(&c, "saves an address of the native stack");
}

static void a_distance_between_addresses_is_a_value(void **state)
{
	struct code c = ONE_CALL(
		"\x48\x8d\x5c\x24\x18\x48\x29\xe3"); /* lea 24(%rsp), %rbx; sub %rsp, %rbx */

	(void)state;
	ask(&c, OF_F, 0, 8);
	PUT(&c, "\x48\x89\x18");
	resume(&c);
	accepts(&c, 1);
}

static void frames_of_inlined_functions_come_before_the_own_one(void **state)
{
	struct code c = ONE_CALL("");

	(void)state;
	ask(&c, OF_INNER, 0, 16);
	ask(&c, OF_F, 0, 8);
	resume(&c);
	accepts(&c, 0);
}

static void a_pad_without_the_own_frame_is_found(void **state)
{
	struct code c = ONE_CALL("");

	(void)state;
	ask(&c, OF_INNER, 0, 16);
	resume(&c);
	refuses(&c, "goes on without having saved its frame");
}

static void a_site_or_size_the_function_does_not_have_is_found(void **state)
{
	static const uint32_t wrong[][2] = {{1, 8}, {0, 16}, {UINT32_MAX, 8}};

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct code c = ONE_CALL("");

		ask(&c, OF_F, wrong[k][0], wrong[k][1]);
		resume(&c);
		refuses(&c, "a site its function does not have");
	}
}

static void a_store_beyond_the_record_is_found(void **state)
{
	struct code c = ONE_CALL("");

	(void)state;
	ask(&c, OF_F, 0, 8);
	PUT(&c, "\x48\x89\x58\x08"); /* mov %rbx, 8(%rax) */
	resume(&c);
	refuses(&c, "outside its frame record");
}

static void two_calls_with_one_pad_are_found(void **state)
{
	struct code c = {0};

	(void)state;
	prologue(&c);
	invoke(&c);
	invoke(&c);
	epilogue(&c);
	pad_here(&c, 0);
	pad_here(&c, 1);
	ask(&c, OF_F, 0, 8);
	resume(&c);
	refuses(&c, "two calls share a landing pad");
	c.npads = 1; /* and as one entry of the table */
	c.pads[0].end = c.pads[1].end;
	refuses(&c, "more or less than one call");
}

static void code_that_cannot_be_read_is_said(void **state)
{
	struct code c = {0};
	struct machine_found found;
	struct err err = ERR_INIT;

	(void)state;
	prologue(&c);
	PUT(&c, "\x06\x06"); /* not of this ISA */
	assert_int_equal(follow(&machine_x86_64, &c, &found, &err), -EINVAL);
}

/* The same two functions for AArch64: x19 is a value, or an address of the frame. */
static void the_other_isa_is_followed_alike(void **state)
{
	static const uint32_t first[] = {0xaa0003f3 /* mov x19, x0 */,
					 0x910023f3 /* add x19, sp, #8 */};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct machine_found found;
		struct err err = ERR_INIT;
		struct code c = {0};
		const uint32_t words[] = {
			0xa9be4ffe, /* stp x30, x19, [sp, #-32]! */
			first[k],
			0x94000000 | (POLL - (BASE + 8)) / 4, /* bl poll */
			0xa8c24ffe,                           /* ldp x30, x19, [sp], #32 */
			0xd65f03c0,                           /* ret */
			0xaa0003f4,                           /* pad: mov x20, x0 */
			0xd28ef100,                           /* mov x0, #0x7788 */
			0xf2aaacc0,                           /* movk x0, #0x5566, lsl #16 */
			0xf2c66880,                           /* movk x0, #0x3344, lsl #32 */
			0xf2e22440,                           /* movk x0, #0x1122, lsl #48 */
			0x2a1f03e1,                           /* mov w1, wzr */
			0x52800102,                           /* mov w2, #8 */
			0x94000000 | (FRAME - (BASE + 48)) / 4,
			0xf9000013, /* str x19, [x0] */
			0xaa1403e0, /* mov x0, x20 */
			0x94000000 | (RESUME - (BASE + 60)) / 4,
		};
		int r;

		put(&c, (const char *)words, sizeof(words));
		c.pads[c.npads++] = (struct machine_site){BASE + 8, BASE + 12, BASE + 20};
		r = follow(&machine_aarch64, &c, &found, &err);
		if (r && !k)
			print_error("%s\n", err.msg);
		assert_int_equal(r, k ? -EILSEQ : 0);
		if (k)
			assert_non_null(strstr(err.msg, "address of the native stack"));
		else
			assert_int_equal(found.stores, 1);
	}
}

static void call_sites_are_read_and_those_without_pad_passed_over(void **state)
{
	static const unsigned char bytes[] = {0xff, 0xff, 0x01, 8, /* two entries */
					      0,    4,    0,    0, 4, 5, 32, 0};
	const struct loaded table_of = {bytes, sizeof(bytes), 0x5000};
	const struct unwind_fn fn = {BASE, 64, 0x5000};
	struct machine_site *v;
	struct err err = ERR_INIT;
	size_t n;

	(void)state;
	assert_int_equal(unwind_sites(&table_of, &fn, &v, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].start, BASE + 4);
	assert_int_equal(v[0].end, BASE + 9);
	assert_int_equal(v[0].pad, BASE + 32);
	free(v);
	for (size_t cut = 0; cut < sizeof(bytes); cut++) {
		const struct loaded less = {bytes, cut, 0x5000};

		assert_int_equal(unwind_sites(&less, &fn, &v, &n, &err), -EINVAL);
		free(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pad_that_saves_a_value_passes),
		cmocka_unit_test(an_address_of_the_frame_in_a_saved_slot_is_found),
		cmocka_unit_test(an_address_that_was_spilled_and_offset_on_one_path_is_found),
		cmocka_unit_test(an_address_among_copied_bytes_is_found),
		cmocka_unit_test(a_distance_between_addresses_is_a_value),
		cmocka_unit_test(frames_of_inlined_functions_come_before_the_own_one),
		cmocka_unit_test(a_pad_without_the_own_frame_is_found),
		cmocka_unit_test(a_site_or_size_the_function_does_not_have_is_found),
		cmocka_unit_test(a_store_beyond_the_record_is_found),
		cmocka_unit_test(two_calls_with_one_pad_are_found),
		cmocka_unit_test(code_that_cannot_be_read_is_said),
		cmocka_unit_test(the_other_isa_is_followed_alike),
		cmocka_unit_test(call_sites_are_read_and_those_without_pad_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
