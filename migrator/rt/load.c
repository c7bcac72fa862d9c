/*
 * Loading a state image into a fresh process: everything is read and checked before anything is
 * changed, and whatever is wrong ends the process with a message.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "migrator/rt/image_check.h"
#include "migrator/rt/kept.h"
#include "migrator/rt/self.h"

static struct drover_image_header header;
static struct drover_image_process process;
static struct drover_image_thread thread_records[RT_THREADS];
static struct drover_image_file file_records[DROVER_IMAGE_MAX_FILES];
static char string_bytes[DROVER_IMAGE_MAX_STRINGS];
static struct drover_image_run *runs;

static _Noreturn void bad(const char *what)
{
	struct text t = {0};

	text_str(&t, "state image: ");
	text_str(&t, what);
	rt_die(&t, -EBADMSG);
}

static void read_at(void *to, uint64_t n, uint64_t offset)
{
	while (n) {
		long r = kernel(SYS_pread64, rt.image_in, to, n, offset);

		if (r == -EINTR)
			continue;
		if (r <= 0)
			bad(r ? "cannot be read" : "is cut off");
		to = (char *)to + r;
		n -= (uint64_t)r;
		offset += (uint64_t)r;
	}
}

static void read_section(uint32_t type, void *to)
{
	const struct drover_image_section *s = image_section(&header, type);

	read_at(to, s->size, s->offset);
}

/* Each thread gets its entry, and its frames, which are checked. */
static void make_entries(const unsigned char *frames)
{
	uint64_t n = image_section(&header, DROVER_SEC_THREADS)->count;

	for (uint64_t i = 0; i < n; i++) {
		const struct drover_image_thread *s = &thread_records[i];
		struct rt_thread *t = i ? thread_entry() : &threads[0];
		struct text why = {0};

		if (!t || !frames_reserve(t, s->frames_size + 16))
			bad("no memory for its threads");
		t->state = *s;
		t->entry = (int (*)(void *))s->entry;
		t->tp = i ? s->pthread : t->tp;
		t->tid = s->tid;
		t->csp = (char *)s->stack_pointer;
		t->mask = s->signal_mask;
		t->delivered = s->delivered;
		t->clear = threads[0].clear; /* the C library's list of threads, for all */
		t->frames_size = s->frames_size;
		t->frames_count = s->nframes;
		memcpy(t->frames, frames, s->frames_size);
		frames += s->frames_size;
		t->place = THREAD_SAVED;
		if (!(s->flags & DROVER_THREAD_ENDED) && !rebuild_check(t, &why))
			rt_die(&why, -EBADMSG);
	}
	stop_loading((uint32_t)n);
}

/* Images in place: what is mapped is what the next capture writes to. */
static bool other_file(const struct stat *in)
{
	struct stat out;

	return kernel(SYS_fstat, rt.image_out, &out) < 0 || out.st_dev != in->st_dev ||
	       out.st_ino != in->st_ino;
}

/* Everything but the pages, checked. */
static void read_all(main_function *main_fn)
{
	static const uint8_t no_id[DROVER_BUILD_ID_BYTES];
	struct image_parts all = {.header = &header,
				  .process = &process,
				  .threads = thread_records,
				  .maps = memory.v,
				  .files = file_records,
				  .strings = string_bytes};
	unsigned char *frames;
	uint64_t frames_size;
	struct image_host host = {
		.data_start = (uint64_t)__drover_data_start,
		.data_end = (uint64_t)__drover_data_end,
		.main_fn = (uint64_t)main_fn,
		.build_id = __drover_build_id ? __drover_build_id : no_id,
	};
	struct stat st;
	const char *what;

	if (kernel(SYS_fstat, rt.image_in, &st) < 0 || (uint64_t)st.st_size < sizeof header)
		bad("is shorter than its header");
	if (rt.in_place && other_file(&st))
		bad("is not in the file the next one is to go to");
	read_at(&header, sizeof header, 0);
	what = image_check_header(&header, (uint64_t)st.st_size, host.build_id);
	if (what)
		bad(what);
	runs = memory_own(DROVER_IMAGE_MAX_RUNS * sizeof *runs);
	frames_size = image_section(&header, DROVER_SEC_FRAMES)->size;
	frames = memory_own(frames_size + 16);
	if (!runs || !frames)
		bad("no memory to read it");
	read_section(DROVER_SEC_PROCESS, &process);
	read_section(DROVER_SEC_THREADS, thread_records);
	read_section(DROVER_SEC_FRAMES, frames);
	read_section(DROVER_SEC_MAPS, memory.v);
	read_section(DROVER_SEC_FILES, file_records);
	read_section(DROVER_SEC_STRINGS, string_bytes);
	read_section(DROVER_SEC_RUNS, runs);
	self_text(&host.text_start, &host.text_end);
	all.frames = frames;
	all.runs = runs;
	what = image_check_parts(&all, &host);
	if (what)
		bad(what);
	make_entries(frames);
	kernel(SYS_munmap, frames, frames_size + 16);
}

static void load_memory(void)
{
	memory.n = (uint32_t)image_section(&header, DROVER_SEC_MAPS)->count;
	for (uint32_t i = 0; i < memory.n; i++)
		if (memory_map_exactly(memory.v[i].start, memory.v[i].end, PROT_READ | PROT_WRITE))
			bad("an address range of the program is taken in this process");
	memset(__drover_data_start, 0, (size_t)(__drover_data_end - __drover_data_start));
	for (uint64_t i = 0; i < image_section(&header, DROVER_SEC_RUNS)->count; i++)
		if (!kept_map(&runs[i]))
			read_at((void *)runs[i].addr, runs[i].size, runs[i].offset);
	for (uint32_t i = 0; i < memory.n; i++)
		if (memory.v[i].prot != (PROT_READ | PROT_WRITE) &&
		    kernel(SYS_mprotect, memory.v[i].start, memory.v[i].end - memory.v[i].start,
			   memory.v[i].prot))
			bad("cannot protect its memory");
}

static void load_process(void)
{
	struct files_image files = {
		.v = file_records,
		.n = (uint32_t)image_section(&header, DROVER_SEC_FILES)->count,
		.strings = string_bytes,
	};
	struct text t = {0};

	if (kernel(SYS_chdir, string_bytes + process.cwd.offset) < 0) {
		text_str(&t, "cannot enter the working directory ");
		text_str(&t, string_bytes + process.cwd.offset);
		rt_die(&t, -ENOENT);
	}
	if (!files_load(&files, &t))
		rt_die(&t, -ENOENT);
	kernel(SYS_umask, process.umask & 0777);
	rt.pid = process.pid;
	rt.argc = (int)process.argc;
	rt.argv = (char **)process.argv;
	rt.envp = (char **)process.envp;
	rt.last_tid = process.last_tid;
	rt.points = header.points;
	rt.captures = header.captures;
	__drover_libc_load(&process.libc);
	signals_load(process.signals);
	clocks_load(&process);
	if (!timers_load(&process, &t))
		rt_die(&t, -EAGAIN);
	timers_send(&process);
}

/* By the thread itself, main's at its start. */
void thread_load_state(struct rt_thread *self)
{
	const struct drover_image_thread *t = &self->state;

	if (t->altstack) {
		stack_t alt = {.ss_sp = (void *)t->altstack, .ss_size = t->altstack_size};

		kernel(SYS_sigaltstack, &alt, 0);
	}
	__drover_libc_load_thread(t, self == &threads[0]);
	self->cpu_offset = 0;
	self->cpu_offset = t->cpu_ns - clocks_thread_cpu();
}

/* The other threads, each waiting with its frames for all to be rebuilt. */
static void start_threads(void)
{
	for (uint32_t i = 1; i < threads_end; i++)
		if (thread_make(&threads[i]))
			bad("this machine gives no more threads");
}

/* The plan counts over all of a program's moves. */
static void advance_plan(void)
{
	if (!rt.planned || rt.plan_next > rt.points)
		return;
	rt.plan_next = rt.plan_every ? rt.plan_next + ((rt.points - rt.plan_next) / rt.plan_every +
						       1) * rt.plan_every
				     : 0;
}

void load_image(main_function *main_fn)
{
	uint64_t started = rt_now(), unused, a[3];

	rt_fault("rt.before-load");
	signals_block_all(&unused);
	read_all(main_fn);
	load_memory();
	load_process();
	thread_load_state(&threads[0]);
	advance_plan();
	start_threads();
	kernel(SYS_munmap, runs, DROVER_IMAGE_MAX_RUNS * sizeof *runs);
	kernel(SYS_close, rt.image_in);
	rt.image_in = -1;
	a[0] = header.size;
	a[1] = image_section(&header, DROVER_SEC_FRAMES)->count;
	a[2] = rt_now() - started;
	control_send(DROVER_MSG_LOADED, 0, a, 3, NULL);
	rt_fault("rt.after-load");
	if (rt.ctl >= 0 && !control_wait(DROVER_MSG_GO, DROVER_MSG_GO))
		rt_exit(RT_EXIT);
	rt_fault("rt.after-go");
	stop_go();
	if (threads[0].state.flags & DROVER_THREAD_ENDED)
		stop_main_ended(&threads[0]);
}
