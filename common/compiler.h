/*
 * What we use of the compiler beyond C17, in one place.
 */
#ifndef DROVER_COMMON_COMPILER_H
#define DROVER_COMMON_COMPILER_H

#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _noinline_ __attribute__((noinline))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_       __attribute__((unused))
#define _noreturn_     __attribute__((noreturn))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* _cleanup_free_ char *s = ...;  frees at the end of the scope. */
static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(cleanup_free)

/* _cleanup_close_ int fd = -1;  closes at the end of the scope if >= 0. */
static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define _cleanup_close_ _cleanup_(cleanup_close)

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/* Take a descriptor or pointer out of a variable whose clean-up is armed. */
static inline int take_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) take_ptr_value = (p);                                                \
		(p) = NULL;                                                                        \
		take_ptr_value;                                                                    \
	})

#endif
