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

static jmp_buf base;

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

	control_take(envp);
	if (__drover_libc_page_size() != RT_PAGE) {
		text_str(&t, "this kernel's pages are not of 4096 bytes");
		rt_die(&t, -ENOTSUP);
	}
	rt.main_fn = main_fn;
	rt.pid = (uint32_t)kernel(SYS_getpid, 0);
	files_begin();
	signals_begin();
	control_send(DROVER_MSG_HELLO, 0, a, 2, NULL);
	if (rt.image_in >= 0) {
		load_image(main_fn);
		return;
	}
	if (memory_begin()) {
		text_str(&t, "the addresses of the common stack are taken in this process");
		rt_die(&t, -EEXIST);
	}
	__drover_csp = (char *)DROVER_COMMON_END;
	copy_arguments(argc, argv, envp);
	__drover_poll = rt.planned || rt.request;
}

/* The stack has been unwound: hand the image over and end, or rebuild here and go on. */
static int captured(void)
{
	uint64_t a[6] = {0, frames_count, rt.points};
	struct text why = {0};
	uint64_t unwound = rt_now();
	bool ok;

	rt.captures++;
	rt.wanted = false;
	a[3] = unwound - rt.save_started;
	a[5] = frames_count;
	ok = capture_write(&a[0], &why);
	a[4] = rt_now() - unwound;
	if (ok) {
		uint32_t answer;

		control_send(DROVER_MSG_CAPTURED, 0, a, 6, NULL);
		rt_fault("rt.after-capture");
		answer = control_wait(DROVER_MSG_COMMIT, DROVER_MSG_ABORT);
		if (answer == DROVER_MSG_COMMIT)
			rt_exit(0);
		/* Nobody can decide any more: stand still until this process is ended from outside.
		 */
		while (!answer)
			kernel(SYS_ppoll, 0, 0, 0, 0, 0);
	} else {
		control_send(DROVER_MSG_REFUSED, -EIO, NULL, 0, &why);
		why.n = 0;
	}
	if (!rebuild_check(rt.main_fn, &why))
		rt_die(&why, -EFAULT);
	return rebuild_run();
}

__attribute__((__noinline__)) int __drover_start(main_function *main_fn, int argc, char **argv,
						 char **envp)
{
	bool loaded;

	if (__drover_program)
		main_fn = __drover_program;
	begin(main_fn, argc, argv, envp);
	loaded = frames_count > 0;
	unwind_set_base((const void *)__drover_start, &base);
	if (setjmp(base))
		return captured();
	if (loaded)
		return rebuild_run();
	if (!__drover_program)
		__libc_start_init();
	return rt.main_fn(rt.argc, rt.argv, rt.envp);
}
