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

#include "migrator/rt/image_check.h"

/* Zero pages between two others that are written rather than end a run: a record and a call are
 * dearer. */
#define GAP (8u * RT_PAGE)

static struct drover_image_header header;
static struct drover_image_process process;
static struct drover_image_file file_records[DROVER_IMAGE_MAX_FILES];
static char string_bytes[DROVER_IMAGE_MAX_STRINGS];
static struct files_image files = {.v = file_records, .strings = string_bytes};
static struct drover_image_run *runs;
static uint64_t nruns;

/* ---- what stands in the way ----------------------------------------------- */

static bool has_children(void)
{
	siginfo_t unused;

	return kernel(SYS_waitid, P_ALL, 0, &unused,
		      WEXITED | WNOHANG | WNOWAIT | 0x40000000 /* __WALL */) != -ECHILD;
}

static bool has_pending_signal(void)
{
	uint64_t set = 0;

	kernel(SYS_rt_sigpending, &set, 8);
	return set & ~(1ull << (DROVER_CONTROL_SIGNAL - 1));
}

static bool has_timer(void)
{
	for (int which = 0; which < 3; which++) {
		int64_t t[4] = {0};

		if (!kernel(SYS_getitimer, which, t) && (t[2] || t[3]))
			return true;
	}
	return rt.timers > 0;
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
	memset(&process, 0, sizeof process);
	files.n = files.strings_n = 0;
	if (rt.image_out < 0)
		text_str(why, "there is no file for the image");
	else if (!__drover_build_id)
		text_str(why, "the program was not linked as a bundle");
	else if (!shared_memory(why) && files_capture(&files, why))
		working_directory(why);
	if (why->n)
		return CAPTURE_REFUSE;
	if (__drover_libc_threads() > 1)
		text_str(why, "other threads run");
	else if (has_children())
		text_str(why, "child processes have not ended");
	else if (has_pending_signal())
		text_str(why, "a blocked signal is pending");
	else if (has_timer())
		text_str(why, "a timer is armed");
	return why->n ? CAPTURE_DEFER : CAPTURE_OK;
}

/* ---- writing -------------------------------------------------------------- */

static int write_at(const void *data, uint64_t n, uint64_t offset)
{
	while (n) {
		long r = kernel(SYS_pwrite64, rt.image_out, data, n, offset);

		if (r == -EINTR)
			continue;
		if (r <= 0)
			return r ? (int)r : -EIO;
		data = (const char *)data + r;
		n -= (uint64_t)r;
		offset += (uint64_t)r;
	}
	return 0;
}

static bool is_zero(const void *p, uint64_t n)
{
	const uint64_t *w = p;
	uint64_t any = 0;

	for (uint64_t i = 0; i < n / 8; i += 8) {
		for (unsigned k = 0; k < 8; k++)
			any |= w[i + k];
		if (any)
			return false;
	}
	return true;
}

static int add_run(uint64_t addr, uint64_t end, uint64_t *offset)
{
	int r;

	if (nruns == DROVER_IMAGE_MAX_RUNS)
		return -E2BIG;
	r = write_at((const void *)addr, end - addr, *offset);
	runs[nruns++] = (struct drover_image_run){addr, end - addr, *offset};
	*offset += end - addr;
	return r;
}

/* The parts of [start, end) that are not zero, as runs. Both are multiples of 64 apart from start's
 * page. */
static int add_range(uint64_t start, uint64_t end, uint64_t *offset)
{
	uint64_t run = 0, run_end = 0;
	int r = 0;

	for (uint64_t at = start, next; at < end && !r; at = next) {
		next = (at | (RT_PAGE - 1)) + 1;
		if (next > end)
			next = end;
		if (is_zero((const void *)at, next - at))
			continue;
		if (run && at - run_end > GAP) {
			r = add_run(run, run_end, offset);
			run = 0;
		}
		if (!run)
			run = at;
		run_end = next;
	}
	return run && !r ? add_run(run, run_end, offset) : r;
}

static int add_map(const struct drover_image_map *m, uint64_t *offset)
{
	uint64_t start = m->start;
	int r;

	if (m->flags & DROVER_MAP_STACK)
		start = (uint64_t)rt.csp & ~(uint64_t)(RT_PAGE - 1);
	if (m->prot & PROT_READ)
		return add_range(start, m->end, offset);
	r = (int)kernel(SYS_mprotect, m->start, m->end - m->start, PROT_READ);
	if (!r)
		r = add_range(start, m->end, offset);
	kernel(SYS_mprotect, m->start, m->end - m->start, m->prot);
	return r;
}

static int write_memory(uint64_t *offset)
{
	uint64_t start = (uint64_t)__drover_data_start, end = (uint64_t)__drover_data_end;
	int r = add_range(start, end, offset);

	for (uint32_t i = 0; i < memory.n && !r; i++)
		r = add_map(&memory.v[i], offset);
	return r;
}

static void describe_process(void)
{
	long mask = kernel(SYS_umask, 0);
	stack_t alt = {0};

	kernel(SYS_umask, mask);
	process.data_start = (uint64_t)__drover_data_start;
	process.data_end = (uint64_t)__drover_data_end;
	process.stack_start = RT_STACK_START;
	process.stack_end = DROVER_COMMON_END;
	process.stack_pointer = (uint64_t)rt.csp;
	process.main_fn = (uint64_t)rt.main_fn;
	process.argc = (uint32_t)rt.argc;
	process.argv = (uint64_t)rt.argv;
	process.envp = (uint64_t)rt.envp;
	process.umask = (uint32_t)mask;
	process.pid = rt.pid;
	process.signal_mask = rt.mask;
	if (!kernel(SYS_sigaltstack, 0, &alt) && !(alt.ss_flags & SS_DISABLE) &&
	    ranges_find(&memory, (uint64_t)alt.ss_sp)) {
		process.altstack = (uint64_t)alt.ss_sp;
		process.altstack_size = alt.ss_size;
	}
	signals_save(process.signals);
	__drover_libc_save(&process.thread, &process.libc);
	clocks_save(&process);
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
	return write_at(data, size, *offset - size);
}

static int write_image(uint64_t *offset)
{
	uint64_t pages;
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
	nruns = 0;
	r = (int)kernel(SYS_ftruncate, rt.image_out, 0);
	if (!r)
		r = put(DROVER_SEC_PROCESS, &process, sizeof process, 1, offset);
	if (!r)
		r = put(DROVER_SEC_FRAMES, frames, frames_size, frames_count, offset);
	if (!r)
		r = put(DROVER_SEC_MAPS, memory.v, memory.n * sizeof *memory.v, memory.n, offset);
	if (!r)
		r = put(DROVER_SEC_STRINGS, files.strings, files.strings_n, files.strings_n,
			offset);
	if (r)
		return r;
	pages = *offset = (*offset + DROVER_IMAGE_ALIGN - 1) & ~(uint64_t)(DROVER_IMAGE_ALIGN - 1);
	r = files_write(&files, rt.image_out, offset);
	*offset = (*offset + DROVER_IMAGE_ALIGN - 1) & ~(uint64_t)(DROVER_IMAGE_ALIGN - 1);
	if (!r)
		r = write_memory(offset);
	section(DROVER_SEC_PAGES, pages, *offset - pages, *offset - pages);
	if (!r)
		r = put(DROVER_SEC_FILES, files.v, files.n * sizeof *files.v, files.n, offset);
	return r ? r : put(DROVER_SEC_RUNS, runs, nruns * sizeof *runs, nruns, offset);
}

bool capture_write(uint64_t *bytes, struct text *why)
{
	const struct image_parts parts = {&header, &process, frames,       memory.v,
					  NULL,    files.v,  files.strings};
	struct image_parts all = parts;
	int r;

	if (!runs)
		runs = memory_own(DROVER_IMAGE_MAX_RUNS * sizeof *runs);
	describe_process();
	r = runs ? write_image(bytes) : -ENOMEM;
	if (!r) {
		header.size = *bytes;
		all.runs = runs;
		header.meta_sum = image_meta_sum(&all);
		r = write_at(&header, sizeof header, 0);
	}
	if (!r)
		return true;
	text_str(why, "cannot write the image, error ");
	text_num(why, (uint64_t)-r);
	return false;
}
