/* The supervisor's check of a state image: a good one is taken and shown, each kind of bad one
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "migrator/image/state_image.h"
#include "migrator/include/abi.h"
#include "migrator/rt/image_check.h"

enum {
	DATA = 0x800000,
	DATA_END = 0x801000,
	TEXT = 0x400000,
	TEXT_END = 0x500000,
	MAIN = 0x400100
};
#define STACK (DROVER_COMMON_END - 0x10000)

/* main calls f, which has the migration point. */
static const char transform[] = "V 1\nM m source.c\n"
				"F 1f5962a2ce9803c8 main 9 1\nS 0 call f 12 8\nL 0 8 i64 n\n"
				"S 1 icall - 13 8\nL 0 8 i64 n\n"
				"F af63db4c8601ead9 f 3 1\nS 0 poll - 5 4\nL 0 4 i32 k\n";

/* The image as a file; tests change it before it is sealed by its sum. */
static struct sample {
	struct drover_image_header header;
	_Alignas(16) struct drover_image_process process;
	_Alignas(16) struct drover_image_thread threads[1];
	_Alignas(16) struct {
		uint64_t fn;
		uint32_t site, size;
		_Alignas(16) unsigned char payload[16];
	} frames[2];
	_Alignas(16) struct drover_image_map maps[2];
	_Alignas(16) struct drover_image_run runs[1];
	_Alignas(16) struct drover_image_file files[2];
	_Alignas(16) char strings[16];
	_Alignas(4096) unsigned char pages[4096];
} sample;
static struct image_program program;

static void section(uint32_t type, const void *at, size_t size, uint64_t count)
{
	sample.header.sections[sample.header.nsections++] = (struct drover_image_section){
		type, 0, (uint64_t)((const char *)at - (const char *)&sample), size, count};
}

static int good(void **state)
{
	struct sample *s = &sample;

	(void)state;
	memset(s, 0, sizeof(*s));
	s->header.magic = DROVER_IMAGE_MAGIC;
	s->header.version = DROVER_IMAGE_VERSION;
	s->header.abi_version = DROVER_ABI_VERSION;
	s->header.isa = DROVER_ISA_AARCH64;
	s->header.size = sizeof(*s);
	s->header.points = 21;
	section(DROVER_SEC_PROCESS, &s->process, sizeof(s->process), 1);
	section(DROVER_SEC_THREADS, s->threads, sizeof(s->threads), 1);
	section(DROVER_SEC_FRAMES, s->frames, sizeof(s->frames), 2);
	section(DROVER_SEC_MAPS, s->maps, sizeof(s->maps), 2);
	section(DROVER_SEC_RUNS, s->runs, sizeof(s->runs), 1);
	section(DROVER_SEC_FILES, s->files, sizeof(s->files), 2);
	section(DROVER_SEC_STRINGS, s->strings, sizeof(s->strings), sizeof(s->strings));
	section(DROVER_SEC_PAGES, s->pages, sizeof(s->pages), sizeof(s->pages));
	s->process = (struct drover_image_process){.data_start = DATA,
						   .data_end = DATA_END,
						   .stack_start = STACK,
						   .stack_end = DROVER_COMMON_END,
						   .last_tid = 5,
						   .main_fn = MAIN,
						   .argv = DROVER_COMMON_START,
						   .envp = DROVER_COMMON_START + 64,
						   .cwd = {0, 4}};
	s->threads[0] = (struct drover_image_thread){.stack_pointer = DROVER_COMMON_END - 64,
						     .tid = 5,
						     .nframes = 2,
						     .frames_size = sizeof(s->frames)};
	s->frames[0].fn = 0xaf63db4c8601ead9;
	s->frames[0].size = 4;
	s->frames[1].fn = 0x1f5962a2ce9803c8;
	s->frames[1].size = 8;
	s->maps[0] =
		(struct drover_image_map){DROVER_COMMON_START, DROVER_COMMON_START + 4096, 3, 0};
	s->maps[1] = (struct drover_image_map){STACK, DROVER_COMMON_END, 3, DROVER_MAP_STACK};
	s->runs[0] = (struct drover_image_run){DROVER_COMMON_START, 4096,
					       offsetof(struct sample, pages)};
	s->files[0].kind = DROVER_FILE_INHERITED;
	s->files[1] = (struct drover_image_file){
		.fd = 3, .kind = DROVER_FILE_PATH, .position = 77, .path = {5, 6}};
	memcpy(s->strings, "/tmp\0/a/b.c", 12);
	return 0;
}

/* Checks the sample as it is, with a sum that is right unless told otherwise. */
static int checked_size(size_t size, bool mend, struct state_image **img, struct err *e)
{
	struct image_parts p = {&sample.header, &sample.process,
				sample.threads, (const unsigned char *)sample.frames,
				sample.maps,    sample.runs,
				sample.files,   sample.strings};
	_cleanup_close_ int fd = file_memfd("image");

	if (mend)
		sample.header.meta_sum = image_meta_sum(&p);
	assert_int_equal(file_write_all(fd, &sample, size), 0);
	return state_image_open(fd, &program, img, e);
}

static void expect_refused(const char *words)
{
	struct err e = ERR_INIT;
	struct state_image *img;

	assert_int_equal(checked_size(sizeof(sample), true, &img, &e), -EINVAL);
	assert_null(img);
	if (!strstr(e.msg, words))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, words);
}

static void a_good_image_is_taken_and_shown_with_functions_and_lines(void **state)
{
	_cleanup_json_ json_t *j = NULL;
	_cleanup_free_ char *text = NULL;
	struct err e = ERR_INIT;
	struct state_image *img;
	FILE *out;
	size_t n;

	(void)state;
	if (checked_size(sizeof(sample), true, &img, &e))
		fail_msg("%s", e.msg);
	out = open_memstream(&text, &n);
	state_image_print(img, &program, out);
	(void)fclose(out);
	assert_non_null(strstr(text, "written by aarch64 at point 21"));
	assert_non_null(strstr(text, "#0    f"));
	assert_non_null(strstr(text, "source.c:5"));
	assert_non_null(strstr(text, "/a/b.c at 77"));
	j = state_image_json(img, &program);
	assert_int_equal(json_array_size(json_object_get(j, "frames")), 2);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(j, "frames"), 1), "function")),
			    "main");
	state_image_free(img);
}

static void frames_must_be_a_chain_from_main_to_a_point(void **state)
{
	(void)state;
	sample.frames[0].fn++;
	expect_refused("a function that is not in this program");
	(void)good(NULL);
	sample.frames[0].site = 1;
	expect_refused("a site its function does not have");
	(void)good(NULL);
	sample.frames[1].size = 4;
	expect_refused("another size");
	(void)good(NULL);
	sample.frames[0] = sample.frames[1];
	expect_refused("innermost one that is not at a point");
	(void)good(NULL);
	sample.frames[1] = sample.frames[0];
	expect_refused("not at a call");
	(void)good(NULL);
	sample.frames[0].fn = 0x1f5962a2ce9803c8;
	sample.frames[0].size = 8;
	expect_refused("not at a point");
}

static void a_call_must_reach_the_next_frame(void **state)
{
	struct state_image *img;

	(void)state;
	/* An indirect call may reach any function, a direct one only its own. */
	sample.frames[1].site = 1;
	assert_int_equal(checked_size(sizeof(sample), true, &img, NULL), 0);
	state_image_free(img);
	(void)good(NULL);
	program.transform.sites[0].callee = "g";
	expect_refused("does not reach the next one");
	program.transform.sites[0].callee = "f";
}

static void frames_must_fill_their_section(void **state)
{
	(void)state;
	sample.header.sections[2].count = sample.threads[0].nframes = 1;
	expect_refused("bytes behind a thread's last frame");
	(void)good(NULL);
	sample.header.sections[2].count = sample.threads[0].nframes = 3;
	expect_refused("cut off");
	(void)good(NULL);
	sample.frames[1].size = 1000;
	expect_refused("cut off");
	(void)good(NULL);
	sample.header.sections[2].count = 3;
	expect_refused("belong to no thread");
}

static void another_programs_image_is_refused(void **state)
{
	(void)state;
	sample.header.build_id[0] = 1;
	expect_refused("another program");
	(void)good(NULL);
	sample.process.data_end += 4096;
	expect_refused("another address");
	(void)good(NULL);
	sample.process.main_fn = TEXT_END;
	expect_refused("main is outside");
}

static void damage_and_truncation_are_found(void **state)
{
	struct err e = ERR_INIT;
	struct state_image *img;

	(void)state;
	assert_int_equal(checked_size(100, true, &img, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "shorter than its header"));
	assert_int_equal(checked_size(sizeof(sample) - 1, true, &img, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "cut off"));
	sample.files[1].position++;
	assert_int_equal(checked_size(sizeof(sample), false, &img, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "sum is wrong"));
}

static int setup(void **state)
{
	(void)state;
	program = (struct image_program){.name = "sample",
					 .data_start = DATA,
					 .data_end = DATA_END,
					 .text_start = TEXT,
					 .text_end = TEXT_END};
	return transform_parse(&program.transform, transform, sizeof(transform) - 1, NULL);
}

static int teardown(void **state)
{
	(void)state;
	image_program_free(&program);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_image_is_taken_and_shown_with_functions_and_lines,
				       good),
		cmocka_unit_test_setup(frames_must_be_a_chain_from_main_to_a_point, good),
		cmocka_unit_test_setup(a_call_must_reach_the_next_frame, good),
		cmocka_unit_test_setup(frames_must_fill_their_section, good),
		cmocka_unit_test_setup(another_programs_image_is_refused, good),
		cmocka_unit_test_setup(damage_and_truncation_are_found, good),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
