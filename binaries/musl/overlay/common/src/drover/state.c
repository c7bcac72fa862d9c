/* What the runtime needs of the C library's own state; the only place that knows both. */
#include <stdint.h>
#include <unistd.h>
#include <fenv.h>
#include "pthread_impl.h"
#include "libc.h"
#include "image.h"

extern char **__environ;

int __drover_libc_cancelled(void)
{
	pthread_t self = __pthread_self();

	return self->cancel && self->canceldisable != PTHREAD_CANCEL_DISABLE;
}

uint64_t __drover_libc_stack_low(uintptr_t tp)
{
	pthread_t t = (pthread_t)tp;

	return (uintptr_t)t->stack - t->stack_size;
}

uint64_t __drover_libc_stack_size(uintptr_t tp)
{
	return ((pthread_t)tp)->stack_size;
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

void __drover_libc_save(struct drover_image_libc *l)
{
	for (int i = 0; i < 6; i++)
		l->locale[i] = (uintptr_t)libc.global_locale.cat[i];
	l->threaded = libc.threaded;
	l->need_locks = (uint8_t)libc.need_locks;
	l->threads_minus_1 = (uint32_t)libc.threads_minus_1;
	l->thread_list_lock = (uint32_t)__thread_list_lock;
}

void __drover_libc_load(const struct drover_image_libc *l)
{
	for (int i = 0; i < 6; i++)
		libc.global_locale.cat[i] = (const void *)(uintptr_t)l->locale[i];
	libc.threaded = (char)l->threaded;
	libc.need_locks = (signed char)l->need_locks;
	libc.threads_minus_1 = (int)l->threads_minus_1;
	__thread_list_lock = (int)l->thread_list_lock;
}

/* Main's structure has one address in every process of a program, but that is not the program's memory.
 */
static uint64_t neighbour(pthread_t self, pthread_t t)
{
	return t == self ? 0 : (uintptr_t)t;
}

void __drover_libc_save_thread(struct drover_image_thread *t)
{
	pthread_t self = __pthread_self();

	t->next = neighbour(self, self->next);
	t->prev = neighbour(self, self->prev);
	t->result = (uintptr_t)self->result;
	t->detach_state = self->detach_state;
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
}

static void load_structure(pthread_t self, const struct drover_image_thread *t)
{
	self->next = t->next ? (pthread_t)(uintptr_t)t->next : self;
	self->prev = t->prev ? (pthread_t)(uintptr_t)t->prev : self;
	self->result = (void *)(uintptr_t)t->result;
	self->detach_state = t->detach_state;
	self->tsd = (void *)(uintptr_t)t->tsd;
	self->locale = (void *)(uintptr_t)t->locale;
	self->dlerror_buf = (void *)(uintptr_t)t->dlerror_buf;
	self->stdio_locks = (void *)(uintptr_t)t->stdio_locks;
	self->cancelbuf = (void *)(uintptr_t)t->cancelbuf;
	self->robust_list.head = (void *)(uintptr_t)t->robust_head;
	self->robust_list.off = (long)t->robust_off;
	self->robust_list.pending = (void *)(uintptr_t)t->robust_pending;
	self->tid = (int)t->tid;
	self->errno_val = t->errno_val;
	self->h_errno_val = t->h_errno_val;
	self->cancel = t->cancel;
	self->canceldisable = t->canceldisable;
	self->cancelasync = t->cancelasync;
	self->tsd_used = t->tsd_used & 1;
	self->dlerror_flag = t->dlerror_flag & 1;
}

void __drover_libc_load_thread(const struct drover_image_thread *t, int is_main)
{
	pthread_t self = __pthread_self();

	if (is_main)
		load_structure(self, t);
	if (self->robust_list.off)
		__syscall(SYS_set_robust_list, &self->robust_list, 3 * sizeof(long));
	fesetround((int)(t->fenv & 0xc00000u));
	feclearexcept(FE_ALL_EXCEPT);
	feraiseexcept((int)(t->fenv & FE_ALL_EXCEPT));
}
