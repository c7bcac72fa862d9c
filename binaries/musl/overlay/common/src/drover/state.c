/* What the runtime needs of the C library's own state; the only place that knows both. */
#include <stdint.h>
#include <unistd.h>
#include <fenv.h>
#include "pthread_impl.h"
#include "libc.h"
#include "image.h"

extern char **__environ;

int __drover_libc_threads(void)
{
	return libc.threads_minus_1 + 1;
}

size_t __drover_libc_page_size(void)
{
	return libc.page_size;
}

const size_t *__drover_libc_auxv(void)
{
	return libc.auxv;
}

void __drover_libc_arguments(char **argv, char **envp)
{
	char *name = argv[0] ? argv[0] : (char *)"";

	__environ = envp;
	__progname = __progname_full = name;
	for (size_t i = 0; name[i]; i++)
		if (name[i] == '/')
			__progname = name + i + 1;
}

void __drover_libc_set_tid(uint32_t tid)
{
	__pthread_self()->tid = (int)tid;
}

void __drover_libc_save(struct drover_image_thread *t, struct drover_image_libc *l)
{
	pthread_t self = __pthread_self();

	t->tsd = (uintptr_t)self->tsd;
	t->locale = (uintptr_t)self->locale;
	t->dlerror_buf = (uintptr_t)self->dlerror_buf;
	t->stdio_locks = (uintptr_t)self->stdio_locks;
	t->cancelbuf = (uintptr_t)self->cancelbuf;
	t->robust_head = (uintptr_t)self->robust_list.head;
	t->robust_off = self->robust_list.off;
	t->robust_pending = (uintptr_t)self->robust_list.pending;
	t->tid = (uint32_t)self->tid;
	t->errno_val = self->errno_val;
	t->h_errno_val = self->h_errno_val;
	t->cancel = self->cancel;
	t->canceldisable = self->canceldisable;
	t->cancelasync = self->cancelasync;
	t->tsd_used = self->tsd_used;
	t->dlerror_flag = self->dlerror_flag;
	t->fenv = (uint32_t)fegetround() | (uint32_t)fetestexcept(FE_ALL_EXCEPT);
	for (int i = 0; i < 6; i++)
		l->locale[i] = (uintptr_t)libc.global_locale.cat[i];
	l->threaded = libc.threaded;
	l->need_locks = (uint8_t)libc.need_locks;
}

void __drover_libc_load(const struct drover_image_thread *t, const struct drover_image_libc *l)
{
	pthread_t self = __pthread_self();

	self->tsd = (void *)(uintptr_t)t->tsd;
	self->locale = (void *)(uintptr_t)t->locale;
	self->dlerror_buf = (void *)(uintptr_t)t->dlerror_buf;
	self->stdio_locks = (void *)(uintptr_t)t->stdio_locks;
	self->cancelbuf = (void *)(uintptr_t)t->cancelbuf;
	self->robust_list.head = (void *)(uintptr_t)t->robust_head;
	self->robust_list.off = (long)t->robust_off;
	self->robust_list.pending = (void *)(uintptr_t)t->robust_pending;
	if (self->robust_list.off)
		__syscall(SYS_set_robust_list, &self->robust_list, 3 * sizeof(long));
	self->tid = (int)t->tid;
	self->errno_val = t->errno_val;
	self->h_errno_val = t->h_errno_val;
	self->cancel = t->cancel;
	self->canceldisable = t->canceldisable;
	self->cancelasync = t->cancelasync;
	self->tsd_used = t->tsd_used & 1;
	self->dlerror_flag = t->dlerror_flag & 1;
	for (int i = 0; i < 6; i++)
		libc.global_locale.cat[i] = (const void *)(uintptr_t)l->locale[i];
	libc.threaded = (char)l->threaded;
	libc.need_locks = (signed char)l->need_locks;
	fesetround((int)(t->fenv & 0xc00000u));
	feclearexcept(FE_ALL_EXCEPT);
	feraiseexcept((int)(t->fenv & FE_ALL_EXCEPT));
}
