#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi.h"
#include "migrator/rt/image_check.h"

#define BASE  DROVER_COMMON_START
#define STACK (DROVER_COMMON_END - 0x100000)
enum { DATA = 0x500000, DATA_END = 0x501240, TEXT = 0x400000, MAIN = 0x400100 };

/* An image in parts, good until a test changes it. */
static struct drover_image_header header;
static struct drover_image_process process;
static struct drover_image_thread threads[2];
static unsigned char frames[64];
static struct drover_image_map maps[2];
static struct drover_image_run runs[3];
static struct drover_image_file files[3];
static char strings[32];
static const uint8_t id[DROVER_BUILD_ID_BYTES] = {7, 8, 9};
static const struct image_host host = {DATA, DATA_END, TEXT, TEXT + 0x10000, MAIN, id};
static const struct image_parts parts = {&header, &process, threads, frames,
					 maps,    runs,     files,   strings};

static void section(uint32_t type, uint64_t offset, uint64_t size, uint64_t count)
{
	header.sections[header.nsections++] =
		(struct drover_image_section){type, 0, offset, size, count};
}

static int good(void **state)
{
	(void)state;
	memset(&header, 0, sizeof header);
	memset(&process, 0, sizeof process);
	memset(files, 0, sizeof files);
	memset(threads, 0, sizeof threads);
	header.magic = DROVER_IMAGE_MAGIC;
	header.version = DROVER_IMAGE_VERSION;
	header.abi_version = DROVER_ABI_VERSION;
	header.isa = DROVER_ISA_AARCH64;
	memcpy(header.build_id, id, sizeof id);
	section(DROVER_SEC_PROCESS, 0x7000, sizeof process, 1);
	section(DROVER_SEC_FRAMES, 0x1000, sizeof frames, 2);
	section(DROVER_SEC_MAPS, 0x1100, sizeof maps, 2);
	section(DROVER_SEC_FILES, 0x1200, sizeof files, 3);
	section(DROVER_SEC_STRINGS, 0x1400, sizeof strings, sizeof strings);
	section(DROVER_SEC_PAGES, 0x2000, 0x4000, 0x4000);
	section(DROVER_SEC_RUNS, 0x6000, sizeof runs, 3);
	section(DROVER_SEC_THREADS, 0x6100, sizeof threads, 2);
	header.size = 0x7000 + sizeof process;
	process.data_start = DATA;
	process.data_end = DATA_END;
	process.main_fn = MAIN;
	process.stack_start = STACK;
	process.stack_end = DROVER_COMMON_END;
	process.last_tid = 11;
	threads[0].stack_pointer = DROVER_COMMON_END - 64;
	threads[0].tid = 10;
	threads[0].nframes = 1;
	threads[0].frames_size = 16;
	threads[1].pthread = BASE + 0x1808;
	threads[1].entry = TEXT + 0x80;
	threads[1].stack_pointer = BASE + 0x1000;
	threads[1].tid = 11;
	threads[1].nframes = 1;
	threads[1].frames_size = 48;
	process.argc = 1;
	process.argv = BASE;
	process.envp = BASE + 16;
	process.signals[10].handler = TEXT + 5;
	process.signals[11].handler = 1;
	process.cwd = (struct drover_image_string){0, 4};
	maps[0] = (struct drover_image_map){BASE, BASE + 0x2000, 3, 0};
	maps[1] = (struct drover_image_map){STACK, DROVER_COMMON_END, 3, DROVER_MAP_STACK};
	runs[0] = (struct drover_image_run){DATA + 0x40, 0x100, 0x2000};
	runs[1] = (struct drover_image_run){BASE, 0x1000, 0x3000};
	runs[2] = (struct drover_image_run){DROVER_COMMON_END - 0x1000, 0x1000, 0x4000};
	memcpy(strings, "/tmp\0/a/file", 13);
	files[0].fd = 0;
	files[0].kind = DROVER_FILE_INHERITED;
	files[1].fd = 3;
	files[1].kind = DROVER_FILE_PATH;
	files[1].path = (struct drover_image_string){5, 7};
	files[2].fd = 5;
	files[2].kind = DROVER_FILE_SHARED;
	files[2].like = 3;
	return 0;
}

static const char *check(void)
{
	const char *what = image_check_header(&header, header.size, id);

	if (what)
		return what;
	header.meta_sum = image_meta_sum(&parts);
	return image_check_parts(&parts, &host);
}

#define REFUSED(change, why)                                                                       \
	do {                                                                                       \
		const char *what_;                                                                 \
		good(NULL);                                                                        \
		change;                                                                            \
		what_ = check();                                                                   \
		assert_non_null(what_);                                                            \
		assert_non_null(strstr(what_, why));                                               \
	} while (0)

static void a_good_image_passes(void **state)
{
	(void)state;
	good(NULL);
	assert_null(check());
}

static void a_socket_has_a_description_and_its_other_end(void **state)
{
	(void)state;
#define SOCKETS                                                                                    \
	files[1] = (struct drover_image_file){.fd = 3,                                             \
					      .kind = DROVER_FILE_SOCKET,                          \
					      .peer = 5,                                           \
					      .offset = 0x2000,                                    \
					      .size = sizeof(struct drover_image_socket)};         \
	files[2] = files[1];                                                                       \
	files[2].fd = 5;                                                                           \
	files[2].peer = 3
	good(NULL);
	SOCKETS;
	assert_null(check());
	REFUSED(SOCKETS; files[1].size--, "without a description");
	REFUSED(SOCKETS; files[2].peer = 4, "other end");
	REFUSED(SOCKETS; files[2].offset = 0x6000, "not in the image");
	REFUSED(files[1].kind = DROVER_FILE_SOCKET + 1, "unknown kind");
}

static void another_program_version_or_length_is_refused(void **state)
{
	(void)state;
	REFUSED(header.magic++, "not a state image");
	REFUSED(header.version++, "version");
	REFUSED(header.abi_version++, "version");
	REFUSED(header.build_id[31] ^= 1, "another program");
	REFUSED(header.isa = 3, "no sense");
	REFUSED(header.nsections = 7, "no sense");
	good(NULL);
	assert_non_null(image_check_header(&header, header.size - 1, id));
}

static void sections_lie_within_the_image_once_each_and_apart(void **state)
{
	(void)state;
	REFUSED(header.sections[0].type = 99, "unknown");
	REFUSED(header.sections[0].offset = 16, "outside");
	REFUSED(header.sections[1].size = UINT64_MAX - 8, "outside");
	REFUSED(header.sections[1].offset = UINT64_MAX & ~15ull, "outside");
	REFUSED(header.sections[1].offset += 8, "aligned");
	REFUSED(header.sections[5].offset += 16; header.sections[5].size -= 16, "aligned");
	REFUSED(header.sections[1].type = DROVER_SEC_PROCESS; header.sections[1].offset = 0xa000;
		header.sections[1].size = sizeof process; header.size = 0xa000 + sizeof process;
		header.sections[1].count = 1, "twice");
	REFUSED(header.sections[2].offset = 0x1010, "overlap");
	REFUSED(header.sections[2].count = 1, "disagree");
	REFUSED(header.sections[1].count = DROVER_IMAGE_MAX_FRAMES + 1, "too many");
	REFUSED(header.sections[0].size = header.sections[0].count = 0, "no process");
}

static void a_changed_byte_is_found(void **state)
{
	(void)state;
	good(NULL);
	header.meta_sum = image_meta_sum(&parts);
	frames[3] ^= 1;
	assert_non_null(strstr(image_check_parts(&parts, &host), "sum"));
}

static void maps_are_ordered_pages_of_the_common_range(void **state)
{
	(void)state;
	REFUSED(maps[0].start = BASE - 0x1000, "common range");
	REFUSED(maps[0].end = maps[0].start, "common range");
	REFUSED(maps[0].end = STACK + 0x1000, "common range");
	REFUSED(maps[1].end += 0x1000, "common range");
	REFUSED(maps[0].start += 8, "common range");
	REFUSED(maps[0].prot = 5, "protection");
	REFUSED(maps[0].flags = 0x100, "protection");
	REFUSED(maps[1].flags = 0, "one stack");
	REFUSED(maps[0].flags = DROVER_MAP_STACK, "stack");
}

static void runs_lie_in_the_programs_memory_and_in_the_image(void **state)
{
	(void)state;
	REFUSED(runs[0].size = 0, "out of order");
	REFUSED(runs[1].addr = DATA, "out of order");
	REFUSED(runs[1].size = UINT64_MAX, "out of order");
	REFUSED(runs[0].offset = 0x1ff0, "not in the image");
	REFUSED(runs[2].offset = 0x5800, "not in the image");
	REFUSED(runs[1].offset = UINT64_MAX - 0x10, "not in the image");
	REFUSED(runs[0].addr = DATA_END - 0x80, "outside the program");
	REFUSED(runs[1].addr = BASE + 0x2000, "outside the program");
	REFUSED(runs[1].size = 0x800, "outside the program");
	REFUSED(runs[1].size = 0x3000, "outside the program");
}

static void descriptors_are_ordered_and_complete(void **state)
{
	(void)state;
	REFUSED(files[1].fd = 0, "out of order");
	REFUSED(files[2].fd = 1024, "out of order");
	REFUSED(files[2].like = 4, "shares with none");
	REFUSED(files[2].like = 5, "shares with none");
	REFUSED(files[0].kind = 99, "unknown kind");
	REFUSED(files[1].path.offset = 32, "outside the image");
	REFUSED(files[1].path.length = 27, "outside the image");
	REFUSED(files[1].path.length = UINT32_MAX, "outside the image");
	REFUSED(files[1].path.length = 0, "outside the image");
	REFUSED(files[1].path.length = 6, "NUL");
	REFUSED(files[1].path.offset = 6; files[1].path.length = 6, "absolute");
	REFUSED(process.cwd.length = 9, "NUL");
}

static void timers_and_pending_signals_make_sense(void **state)
{
	(void)state;
	REFUSED(process.timers[3].used = 2, "timer");
	REFUSED(process.timers[31].notify = 4, "timer");
	REFUSED(process.timers[0].signo = 65, "timer");
	REFUSED(process.timers[0].first_ns = UINT64_MAX, "timer");
	REFUSED(process.npending = 33, "pending");
	REFUSED(process.npending = 1, "pending");
	REFUSED(process.limits_set = 1u << 16, "limits");
}

/* files[0] and files[1] as the ends of a pipe with 16 bytes in it. */
static void a_pipe(void)
{
	files[0] = (struct drover_image_file){.fd = 0, .kind = DROVER_FILE_PIPE, .peer = 3};
	files[1] = (struct drover_image_file){
		.fd = 3, .kind = DROVER_FILE_PIPE, .flags = 1, .peer = 0};
	files[0].offset = 0x5000;
	files[0].size = 16;
}

static void ends_find_each_other_and_their_bytes(void **state)
{
	(void)state;
	good(NULL);
	a_pipe();
	assert_null(check());
	REFUSED(a_pipe(); files[1].peer = DROVER_FILE_NONE, "other end");
	REFUSED(a_pipe(); files[0].peer = 5, "other end");
	REFUSED(a_pipe(); files[0].peer = 0, "other end");
	REFUSED(a_pipe(); files[1].kind = DROVER_FILE_PAIR, "other end");
	REFUSED(a_pipe(); files[1].flags = 0, "two ends of one kind");
	REFUSED(a_pipe(); files[1].flags = 2, "neither reads nor writes");
	REFUSED(a_pipe(); files[1].size = 4; files[1].offset = 0x5000, "writes and has bytes");
	REFUSED(a_pipe(); files[0].offset = 0x5ff8, "not in the image");
	REFUSED(a_pipe(); files[0].offset = UINT64_MAX, "not in the image");
	REFUSED(files[2].size = 1, "has none");
	REFUSED(files[2].kind = DROVER_FILE_EPOLL; files[2].offset = 0x5000;
		files[2].size = 20, "broken watches");
	REFUSED(files[2].kind = DROVER_FILE_REOPENED, "shares with none");
}

static void the_process_fits_this_program(void **state)
{
	(void)state;
	REFUSED(process.data_start += 16, "another address");
	REFUSED(process.data_end += 16, "another address");
	REFUSED(process.main_fn++, "another address");
	REFUSED(process.stack_start = STACK + 0x1000, "stack that is not");
	REFUSED(process.argv = 8, "arguments");
	REFUSED(process.argc = UINT32_MAX, "arguments");
	REFUSED(process.envp = BASE + 0x2000, "arguments");
	REFUSED(process.signals[10].handler = DATA, "handler");
}

static void threads_have_frames_a_beginning_and_a_stack(void **state)
{
	(void)state;
	REFUSED(threads[0].stack_pointer = STACK - 16, "outside the stack");
	REFUSED(threads[0].stack_pointer += 8, "outside the stack");
	REFUSED(threads[0].pthread = BASE, "not main's");
	REFUSED(threads[0].entry = TEXT, "not main's");
	REFUSED(threads[0].flags = DROVER_THREAD_ENDED, "ended with some");
	REFUSED(threads[0].nframes = 0; threads[1].nframes = 2, "main without frames");
	REFUSED(threads[0].tid = 0, "without a number");
	REFUSED(threads[1].tid = 12, "without a number");
	REFUSED(threads[1].nframes = 2, "other frames");
	REFUSED(threads[1].frames_size = 64, "other frames");
	REFUSED(threads[1].frames_size = 32, "belong to no thread");
	REFUSED(threads[1].pthread = BASE + 0x1f10, "outside the program's memory");
	REFUSED(threads[1].pthread = UINT64_MAX - 7, "outside the program's memory");
	REFUSED(threads[1].entry = DATA, "outside the program's text");
	REFUSED(threads[1].stack_pointer = BASE, "stack pointer");
	REFUSED(threads[1].stack_pointer = 0, "stack pointer");
	REFUSED(threads[1].stack_pointer += 8, "stack pointer");
	REFUSED(threads[1].flags = DROVER_THREAD_ENDED, "without frames");
	REFUSED(header.sections[7].size = header.sections[7].count = 0, "no thread");
}

static void a_thread_may_live_in_static_data(void **state)
{
	(void)state;
	good(NULL);
	threads[1].pthread = DATA_END - 0x140;
	threads[1].stack_pointer = DATA + 0x200;
	assert_null(check());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_image_passes),
		cmocka_unit_test(a_socket_has_a_description_and_its_other_end),
		cmocka_unit_test(another_program_version_or_length_is_refused),
		cmocka_unit_test(sections_lie_within_the_image_once_each_and_apart),
		cmocka_unit_test(a_changed_byte_is_found),
		cmocka_unit_test(maps_are_ordered_pages_of_the_common_range),
		cmocka_unit_test(runs_lie_in_the_programs_memory_and_in_the_image),
		cmocka_unit_test(descriptors_are_ordered_and_complete),
		cmocka_unit_test(timers_and_pending_signals_make_sense),
		cmocka_unit_test(ends_find_each_other_and_their_bytes),
		cmocka_unit_test(the_process_fits_this_program),
		cmocka_unit_test(threads_have_frames_a_beginning_and_a_stack),
		cmocka_unit_test(a_thread_may_live_in_static_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
