/*
 * Where a bundle's half begins: called by the C library in place of main, before any constructor
 * has run. Either main runs from its beginning, or an image is loaded and main's frames are
 * rebuilt. The frame of
 * __drover_start (or of rebuild_run, which it calls) is where unwinding ends.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

int __drover_start(main_function *main_fn, int argc, char **argv, char **envp);

/* Copies argv and envp, strings and all, to memory that has the same address on the other side. */
static void copy_arguments(int argc, char **argv, char **envp)
{
	size_t pointers = (size_t)argc + 1, bytes = 0;
	char **out, *s;
	long at;

	for (int i = 0; i < argc; i++)
		bytes += strlen(argv[i]) + 1;
	for (char **e = envp; *e; e++, pointers++)
		bytes += strlen(*e) + 1;
	pointers++;
	bytes += pointers * sizeof *out;
	at = memory_mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at < 0) {
		struct text t = {0};

		text_str(&t, "no memory for the arguments");
		rt_die(&t, (int)at);
	}
	out = (char **)at;
	s = (char *)(out + pointers);
	rt.argc = argc;
	rt.argv = out;
	for (int i = 0; i < argc; i++, s += strlen(s) + 1)
		*out++ = strcpy(s, argv[i]);
	*out++ = NULL;
	rt.envp = out;
	for (; *envp; envp++, s += strlen(s) + 1)
		*out++ = strcpy(s, *envp);
	*out = NULL;
	__drover_libc_arguments(rt.argv, rt.envp);
}

static void begin(main_function *main_fn, int argc, char **argv, char **envp)
{
	struct text t = {0};
	uint64_t a[2] = {arch_isa, 0};
	int r;

	control_take(envp);
	if (__drover_libc_page_size() != RT_PAGE) {
		text_str(&t, "this kernel's pages are not of 4096 bytes");
		rt_die(&t, -ENOTSUP);
	}
	rt.main_fn = main_fn;
	rt.pid = rt.kernel_pid = (uint32_t)kernel(SYS_getpid, 0);
	threads_begin(rt.pid);
	files_begin();
	signals_begin();
	control_send(DROVER_MSG_HELLO, 0, a, 2, NULL);
	if (rt.image_out >= 0)
		capture_begin();
	if (rt.image_in >= 0) {
		load_image(main_fn);
		return;
	}
	r = memory_begin();
	if (r) {
		text_str(&t,
			 r == -ENOMEM
				 ? "no address space for the stack; a limit (ulimit -v) is too low"
				 : "the addresses of the common stack are taken in this process");
		rt_die(&t, r);
	}
	*thread_csp(&threads[0]) = (char *)DROVER_COMMON_END;
	copy_arguments(argc, argv, envp);
	__drover_poll = rt.planned || rt.request;
}

__attribute__((__noinline__)) int __drover_start(main_function *main_fn, int argc, char **argv,
						 char **envp)
{
	struct rt_thread *self = &threads[0];
	bool loaded;

	if (__drover_program)
		main_fn = __drover_program;
	begin(main_fn, argc, argv, envp);
	loaded = self->frames_count > 0;
	if (setjmp(self->base)) {
		stop_saved(self);
		return rebuild_run(self);
	}
	if (loaded)
		return rebuild_run(self);
	if (!__drover_program)
		__libc_start_init();
	return rt.main_fn(rt.argc, rt.argv, rt.envp);
}

const void *const main_base = (const void *)__drover_start;
