/* Writing the state image: docs/formats/image.md. The stack has been unwound; nothing of the
 * program runs. */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "migrator/rt/capture_memory.h"
#include "migrator/rt/image_check.h"

static struct drover_image_header header;
static struct drover_image_process process;
static struct drover_image_thread thread_records[RT_THREADS];
static uint32_t nthreads;
static struct drover_image_file file_records[DROVER_IMAGE_MAX_FILES];
static char string_bytes[DROVER_IMAGE_MAX_STRINGS];
static struct files_image files = {.v = file_records, .strings = string_bytes};

void capture_begin(void)
{
	static char *const first[] = {(char *)&process, (char *)(&process + 1) - 1,
				      (char *)thread_records, (char *)file_records, string_bytes};
	/* The unwinder calls the program's pthread_once, and there is no common stack yet. */
	static _Alignas(16) char stack[4096];
	char **csp = thread_csp(&threads[0]), *before = *csp;

	for (size_t i = 0; i < sizeof first / sizeof *first; i++)
		*(volatile char *)first[i] = 0;
	if (frames_reserve(&threads[0], 1))
		*(volatile unsigned char *)threads[0].frames = 0;
	*csp = stack + sizeof stack;
	unwind_prepare();
	*csp = before;
}

/* ---- what stands in the way ----------------------------------------------- */

static bool has_children(void)
{
	siginfo_t unused;

	return kernel(SYS_waitid, P_ALL, 0, &unused,
		      WEXITED | WNOHANG | WNOWAIT | 0x40000000 /* __WALL */) != -ECHILD;
}

static bool shared_memory(struct text *why)
{
	for (uint32_t i = 0; i < memory.n; i++) {
		if (!(memory.v[i].flags & RT_MAP_SHARED))
			continue;
		text_str(why, "a shared mapping at ");
		text_hex(why, memory.v[i].start);
		return true;
	}
	return false;
}

static bool working_directory(struct text *why)
{
	char path[DROVER_IMAGE_MAX_PATH];
	long n = kernel(SYS_getcwd, path, sizeof path);

	if (n > 1 && path[0] == '/')
		process.cwd = files_string(&files, path, (size_t)n - 1);
	if (n > 1 && process.cwd.length)
		return true;
	text_str(why, "the working directory has no path");
	return false;
}

enum capture_verdict capture_prepare(struct text *why)
{
	enum capture_verdict v = CAPTURE_REFUSE;

	memset(&process, 0, sizeof process);
	files.n = files.strings_n = 0;
	if (rt.image_out < 0)
		text_str(why, "there is no file for the image");
	else if (!__drover_build_id)
		text_str(why, "the program was not linked as a bundle");
	else if (!shared_memory(why) && working_directory(why))
		v = files_capture(&files, why);
	if (v != CAPTURE_OK)
		return v;
	if (has_children())
		text_str(why, "child processes have not ended");
	else
		timers_movable(why);
	return why->n ? CAPTURE_DEFER : CAPTURE_OK;
}

/* ---- writing -------------------------------------------------------------- */

static void describe_process(void)
{
	long mask = kernel(SYS_umask, 0);

	kernel(SYS_umask, mask);
	process.data_start = (uint64_t)__drover_data_start;
	process.data_end = (uint64_t)__drover_data_end;
	process.stack_start = RT_STACK_START;
	process.stack_end = DROVER_COMMON_END;
	process.main_fn = (uint64_t)rt.main_fn;
	process.argc = (uint32_t)rt.argc;
	process.argv = (uint64_t)rt.argv;
	process.envp = (uint64_t)rt.envp;
	process.umask = (uint32_t)mask;
	process.pid = rt.pid;
	process.last_tid = rt.last_tid;
	signals_save(process.signals);
	__drover_libc_save(&process.libc);
	clocks_save(&process);
}

/* Not the runtime's own alternate stack. */
static bool of_program(uint64_t addr)
{
	return ranges_find(&memory, addr) ||
	       (addr >= (uint64_t)__drover_data_start && addr < (uint64_t)__drover_data_end);
}

/* By the thread itself: the processor and the kernel know some of it. */
void thread_save_state(struct rt_thread *self)
{
	struct drover_image_thread *t = &self->state;
	stack_t alt = {0};

	*t = (struct drover_image_thread){0};
	__drover_libc_save_thread(t);
	t->pthread = self->stack ? self->tp : 0;
	t->entry = (uint64_t)self->entry;
	t->stack_pointer = (uint64_t)self->csp;
	t->frames_size = self->frames_size;
	t->nframes = self->frames_count;
	t->signal_mask = self->mask;
	t->cpu_ns = clocks_thread_cpu();
	t->delivered = self->delivered;
	if (!kernel(SYS_sigaltstack, 0, &alt) && !(alt.ss_flags & SS_DISABLE) &&
	    of_program((uint64_t)alt.ss_sp)) {
		t->altstack = (uint64_t)alt.ss_sp;
		t->altstack_size = alt.ss_size;
	}
}

/* Main first, which is in the image even after it has ended. */
static void describe_threads(void)
{
	nthreads = 0;
	for (uint32_t i = 0; i < threads_end; i++) {
		struct rt_thread *t = &threads[i];

		if (t->place == THREAD_ENDED) {
			t->state = (struct drover_image_thread){
				.stack_pointer = DROVER_COMMON_END,
				.tid = t->tid,
				.flags = DROVER_THREAD_ENDED,
			};
			t->csp = (char *)DROVER_COMMON_END;
			t->frames_size = 0;
		} else if (t->place != THREAD_SAVED) {
			continue;
		}
		thread_records[nthreads++] = t->state;
	}
}

static void section(uint32_t type, uint64_t offset, uint64_t size, uint64_t count)
{
	header.sections[header.nsections++] =
		(struct drover_image_section){type, 0, offset, size, count};
}

/* Writes a section at the next place and enters it in the table. */
static int put(uint32_t type, const void *data, uint64_t size, uint64_t count, uint64_t *offset)
{
	*offset = (*offset + 15) & ~15ull;
	section(type, *offset, size, count);
	*offset += size;
	return capture_write_at(data, size, *offset - size);
}

/* The threads' records, one behind the other. */
static int put_frames(uint64_t *offset)
{
	uint64_t size = 0, n = 0;
	int r = 0;

	*offset = (*offset + 15) & ~15ull;
	for (uint32_t i = 0; i < threads_end && !r; i++) {
		const struct rt_thread *t = &threads[i];

		if (t->place != THREAD_SAVED)
			continue;
		r = capture_write_at(t->frames, t->frames_size, *offset + size);
		size += t->frames_size;
		n += t->frames_count;
	}
	section(DROVER_SEC_FRAMES, *offset, size, n);
	*offset += size;
	return r                                                                     ? r
	       : n > DROVER_IMAGE_MAX_FRAMES || size > DROVER_IMAGE_MAX_FRAMES_BYTES ? -E2BIG
										     : 0;
}

static int write_image(uint64_t *offset)
{
	const struct drover_image_run *runs;
	uint64_t pages, n;
	int r;

	header = (struct drover_image_header){
		.magic = DROVER_IMAGE_MAGIC,
		.version = DROVER_IMAGE_VERSION,
		.abi_version = DROVER_ABI_VERSION,
		.isa = arch_isa,
		.points = rt.points,
		.captures = rt.captures,
	};
	memcpy(header.build_id, __drover_build_id, DROVER_BUILD_ID_BYTES);
	*offset = sizeof header;
	r = rt.in_place ? 0 : (int)kernel(SYS_ftruncate, rt.image_out, 0);
	if (!r)
		r = put(DROVER_SEC_PROCESS, &process, sizeof process, 1, offset);
	if (!r)
		r = put(DROVER_SEC_THREADS, thread_records, nthreads * sizeof *thread_records,
			nthreads, offset);
	if (!r)
		r = put_frames(offset);
	if (!r)
		r = put(DROVER_SEC_MAPS, memory.v, memory.n * sizeof *memory.v, memory.n, offset);
	if (!r)
		r = put(DROVER_SEC_STRINGS, files.strings, files.strings_n, files.strings_n,
			offset);
	if (r)
		return r;
	pages = *offset = (*offset + DROVER_IMAGE_ALIGN - 1) & ~(uint64_t)(DROVER_IMAGE_ALIGN - 1);
	r = files_write(&files, offset);
	*offset = (*offset + DROVER_IMAGE_ALIGN - 1) & ~(uint64_t)(DROVER_IMAGE_ALIGN - 1);
	if (!r)
		r = capture_memory(offset);
	section(DROVER_SEC_PAGES, pages, *offset - pages, *offset - pages);
	if (!r)
		r = put(DROVER_SEC_FILES, files.v, files.n * sizeof *files.v, files.n, offset);
	runs = capture_runs(&n);
	return r ? r : put(DROVER_SEC_RUNS, runs, n * sizeof *runs, n, offset);
}

/* Bytes that belong to the image, which in place is mostly holes. */
static uint64_t size_of(uint64_t file)
{
	uint64_t size = sizeof header, n;
	const struct drover_image_run *runs = capture_runs(&n);

	if (!rt.in_place)
		return file;
	for (uint32_t i = 0; i < header.nsections; i++)
		if (header.sections[i].type != DROVER_SEC_PAGES)
			size += header.sections[i].size;
	for (uint64_t i = 0; i < n; i++)
		size += runs[i].size;
	return size;
}

/* The sum over sections in the order of the table; frames are in several pieces. */
static uint64_t sum(void)
{
	uint64_t nruns;
	const struct image_parts parts = {.header = &header,
					  .process = &process,
					  .threads = thread_records,
					  .maps = memory.v,
					  .runs = capture_runs(&nruns),
					  .files = files.v,
					  .strings = files.strings};
	uint64_t sum = image_sum_begin(&header);

	for (uint32_t i = 0; i < header.nsections; i++) {
		if (header.sections[i].type != DROVER_SEC_FRAMES) {
			sum = image_sum_section(sum, &parts, &header.sections[i]);
			continue;
		}
		for (uint32_t k = 0; k < threads_end; k++)
			if (threads[k].place == THREAD_SAVED)
				sum = image_sum(sum, threads[k].frames, threads[k].frames_size);
	}
	return sum;
}

/* The descriptors that are handed over go before CAPTURED, which says how many they are. */
static bool give_descriptors(uint64_t *given, struct text *why)
{
	static int fds[DROVER_IMAGE_MAX_FILES];
	uint32_t n = files_given(&files, fds);
	long r = n ? control_give(fds, n) : 0;

	*given = n;
	if (!r)
		return true;
	text_str(why, "descriptors cannot be handed over, error ");
	text_num(why, (uint64_t)-r);
	return false;
}

void capture_late(void)
{
	struct drover_image_pending s;

	while (timers_late(&process, &s)) {
		uint64_t a[] = {s.signo, (uint32_t)s.code, s.pid | (uint64_t)s.uid << 32, s.value};

		control_send(DROVER_MSG_LATE, 0, a, 4, NULL);
	}
}

bool capture_write(uint64_t *bytes, uint64_t *given, struct text *why)
{
	int r;

	describe_process();
	if (!timers_capture(&process, why))
		return false;
	describe_threads();
	r = write_image(bytes);
	if (!r) {
		header.size = *bytes;
		header.meta_sum = sum();
		r = capture_write_at(&header, sizeof header, 0);
	}
	if (!r && rt.in_place) /* an earlier image may have been longer */
		r = (int)kernel(SYS_ftruncate, rt.image_out, header.size);
	*bytes = size_of(header.size);
	if (!r)
		return give_descriptors(given, why);
	text_str(why, "cannot write the image, error ");
	text_num(why, (uint64_t)-r);
	return false;
}
