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
#include "common/compiler.h"
#include "migrator/include/abi.h"

enum {
	BASE = 0x1000,
	POLL = 0x8000,
	FRAME = 0x8100,
	UNWIND = 0x8200,
	MEMCPY = 0x8300,
	KEEP = 0x8400
};

/* Where the rows of sites are, and a clone's table of what it keeps where. */
enum { OF_F = 0x6000, OF_INNER = 0x6100, HOMES = 0x6200, ROW = sizeof(struct drover_site) };

/* A function `f` with one site that saves one word, and `inner`, which was inlined into it. */
static const char table[] = "V 1\nM m m.c\n"
			    "F 1122334455667788 f 1 0\nS 0 poll - 2 8\nL 0 8 ptr p\n"
			    "F 0000000000000099 inner 1 0\nS 0 poll - 2 16\nL 0 16 bytes b\n";

static const struct machine_table tables[] = {{OF_F, 0x1122334455667788, 1}, {OF_INNER, 0x99, 1}};

struct code {
	uint32_t homes[7]; /* struct drover_homes of one site that saves one value */
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

static void ask(struct code *c, uint32_t row)
{
	PUT(c, "\xbf"); /* mov $row, %edi */
	put32(c, row);
	call(c, FRAME);
}

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

/* A function of two calls and nothing else; the pads come behind it. */
static void two_calls(struct code *c)
{
	prologue(c);
	invoke(c);
	invoke(c);
	epilogue(c);
}

static void go_on(struct code *c)
{
	call(c, UNWIND);
}

/* What was inlined goes on by a call that has the landing pad of the call it was inlined for. */
static void go_on_outside(struct code *c)
{
	uint64_t start = BASE + c->n;

	call(c, UNWIND);
	c->pads[c->npads++] = (struct machine_site){start, BASE + c->n, BASE + c->n};
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

static const unsigned char *homes_at(const void *context, uint64_t addr, size_t len)
{
	const struct code *c = context;

	return addr == HOMES && len <= sizeof(c->homes) ? (const void *)c->homes : NULL;
}

static int follow(const struct machine_abi *abi, const struct code *c, struct machine_found *found,
		  struct err *err)
{
	struct transform t;
	struct machine_program p = {.abi = abi,
				    .transform = &t,
				    .tables = tables,
				    .ntables = ARRAY_SIZE(tables),
				    .bytes = homes_at,
				    .context = c,
				    .frame = FRAME,
				    .unwind = UNWIND,
				    .keep = KEEP,
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
	ask(&c, OF_F);
	PUT(&c, "\x48\x89\x18"); /* mov %rbx, (%rax) */
	go_on(&c);
	accepts(&c, 1);
}

static void an_address_of_the_frame_in_a_saved_slot_is_found(void **state)
{
	struct code c = ONE_CALL("\x48\x8d\x5c\x24\x08"); /* lea 8(%rsp), %rbx */

	(void)state;
	ask(&c, OF_F);
	PUT(&c, "\x48\x89\x18"); /* mov %rbx, (%rax) */
	go_on(&c);
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
	ask(&c, OF_F);
	PUT(&c, "\x48\x8b\x4c\x24\x10"); /* mov 16(%rsp), %rcx */
	PUT(&c, "\x48\x89\x08");         /* mov %rcx, (%rax) */
	go_on(&c);
	refuses(&c, "saves an address of the native stack");
}

static void an_address_among_copied_bytes_is_found(void **state)
{
	struct code c = ONE_CALL("\x48\x8d\x1c\x24" /* lea (%rsp), %rbx */
				 "\x48\x89\x5c\x24\x18" /* mov %rbx, 24(%rsp) */);

	(void)state;
	ask(&c, OF_INNER);
	PUT(&c, "\x48\x89\xc7\x48\x8d\x74\x24\x10"); /* mov %rax, %rdi; lea 16(%rsp), %rsi */
	PUT(&c, "\xba\x10\x00\x00\x00");             /* mov $16, %edx */
	call(&c, MEMCPY);
	go_on_outside(&c);
	ask(&c, OF_F);
	go_on(&c);
	refuses(&c, "saves an address of the native stack");
}

static void a_distance_between_addresses_is_a_value(void **state)
{
	struct code c = ONE_CALL(
		"\x48\x8d\x5c\x24\x18\x48\x29\xe3"); /* lea 24(%rsp), %rbx; sub %rsp, %rbx */

	(void)state;
	ask(&c, OF_F);
	PUT(&c, "\x48\x89\x18");
	go_on(&c);
	accepts(&c, 1);
}

static void frames_of_inlined_functions_come_before_the_own_one(void **state)
{
	struct code c = ONE_CALL("");

	(void)state;
	ask(&c, OF_INNER);
	go_on_outside(&c);
	ask(&c, OF_F);
	go_on(&c);
	accepts(&c, 0);
}

static void a_pad_without_the_own_frame_is_found(void **state)
{
	struct code c = ONE_CALL(""), without = ONE_CALL("");

	(void)state;
	ask(&c, OF_INNER);
	go_on(&c);
	refuses(&c, "goes on without having saved its frame");
	go_on_outside(&without);
	ask(&without, OF_F);
	go_on(&without);
	refuses(&without, "goes on without having saved its frame");
}

static void a_site_that_no_function_has_is_found(void **state)
{
	static const uint32_t wrong[] = {OF_F + ROW, OF_F + 8, 0};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(wrong); k++) {
		struct code c = ONE_CALL("");

		ask(&c, wrong[k]);
		go_on(&c);
		refuses(&c, "saves for no site");
	}
}

/* Two calls whose pads choose the row and then store by the same code. */
static void pads_that_store_by_the_same_code_pass(void **state)
{
	struct code c = {0};

	(void)state;
	two_calls(&c);
	pad_here(&c, 0);
	PUT(&c, "\xbf"); /* mov $row, %edi; jmp over the other pad */
	put32(&c, OF_F);
	PUT(&c, "\xeb\x05");
	pad_here(&c, 1);
	PUT(&c, "\xbf");
	put32(&c, OF_F);
	call(&c, FRAME);
	PUT(&c, "\x48\x89\x18"); /* mov %rbx, (%rax) */
	go_on(&c);
	accepts(&c, 1);
	/* Rows of two functions. */
	c.b[c.n - 5 - 3 - 5 - 4] = OF_INNER & 0xff;
	c.b[c.n - 5 - 3 - 5 - 3] = OF_INNER >> 8;
	refuses(&c, "those of several functions");
}

/* A resume clone's landing pad: the block of memory is at 8(%rsp). */
static struct code keeps(const char *before, size_t n)
{
	static const uint32_t homes[] = {16, 1, 0, 1, 8, 0, 8}; /* 8 bytes at 8 of the block */
	struct code c = one_call(before, n);

	memcpy(c.homes, homes, sizeof(homes));
	PUT(&c, "\xbf"); /* mov $row, %edi */
	put32(&c, OF_F);
	PUT(&c, "\x48\x8d\x74\x24\x08"); /* lea 8(%rsp), %rsi */
	PUT(&c, "\xba");                 /* mov $homes, %edx */
	put32(&c, HOMES);
	call(&c, KEEP);
	return c;
}

static void what_a_clone_keeps_is_followed_into_its_block(void **state)
{
	static const char value[] = "\x48\x89\x7c\x24\x10";   /* mov %rdi, 16(%rsp) */
	static const char address[] = "\x48\x8d\x1c\x24"      /* lea (%rsp), %rbx */
				      "\x48\x89\x5c\x24\x10"; /* mov %rbx, 16(%rsp) */
	struct code good = keeps(value, sizeof(value) - 1);
	struct code bad = keeps(address, sizeof(address) - 1);

	(void)state;
	accepts(&good, 1);
	refuses(&bad, "saves an address of the native stack");
}

static void a_clone_that_keeps_other_values_than_the_table_says_is_found(void **state)
{
	static const struct {
		size_t word;
		uint32_t value;
		const char *why;
	} wrong[] = {{0, 8, "keeps other values"},  {1, 2, "no table"},
		     {3, 0, "keeps other values"},  {3, 2, "no table"},
		     {4, 12, "keeps other values"}, {5, 8, "keeps other values"},
		     {6, 4, "keeps other values"}};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(wrong); k++) {
		struct code c = keeps("", 0);

		c.homes[wrong[k].word] = wrong[k].value;
		refuses(&c, wrong[k].why);
	}
}

static void a_store_beyond_the_record_is_found(void **state)
{
	struct code c = ONE_CALL("");

	(void)state;
	ask(&c, OF_F);
	PUT(&c, "\x48\x89\x58\x08"); /* mov %rbx, 8(%rax) */
	go_on(&c);
	refuses(&c, "outside its frame record");
}

static void two_calls_with_one_pad_are_found(void **state)
{
	struct code c = {0};

	(void)state;
	two_calls(&c);
	pad_here(&c, 0);
	pad_here(&c, 1);
	ask(&c, OF_F);
	go_on(&c);
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
			0xd2800000 | OF_F << 5,               /* pad: mov x0, #row */
			0x94000000 | (FRAME - (BASE + 24)) / 4,
			0xf9000013, /* str x19, [x0] */
			0x94000000 | (UNWIND - (BASE + 32)) / 4,
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
		cmocka_unit_test(a_site_that_no_function_has_is_found),
		cmocka_unit_test(pads_that_store_by_the_same_code_pass),
		cmocka_unit_test(what_a_clone_keeps_is_followed_into_its_block),
		cmocka_unit_test(a_clone_that_keeps_other_values_than_the_table_says_is_found),
		cmocka_unit_test(a_store_beyond_the_record_is_found),
		cmocka_unit_test(two_calls_with_one_pad_are_found),
		cmocka_unit_test(code_that_cannot_be_read_is_said),
		cmocka_unit_test(the_other_isa_is_followed_alike),
		cmocka_unit_test(call_sites_are_read_and_those_without_pad_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
