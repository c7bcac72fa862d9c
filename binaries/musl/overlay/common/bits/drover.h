/*
 * Read before every source file, of programs and of the C library: variable arguments in the form
 * both ISAs share. The caller stores them in an area of its stack, in words of 8 bytes, those over
 * 16 bytes by the address of a copy; a va_list is a pointer into the area. The compiler plugin does
 * the caller's side and answers __drover_va_area.
 */
#ifndef _BITS_DROVER_H
#define _BITS_DROVER_H
#ifndef __ASSEMBLER__
#pragma clang system_header

#define __builtin_va_list __typeof__((void *)0)
#define __builtin_va_start(ap, ...)                                        \
	__extension__({                                                    \
		extern void *__drover_va_area(void)                        \
			__attribute__((__nothrow__));                      \
		(ap) = __drover_va_area();                                 \
		(void)0;                                                   \
	})
#define __builtin_stdarg_start __builtin_va_start
#define __builtin_va_end(ap)     ((void)(ap))
#define __builtin_va_copy(to, from) ((void)((to) = (from)))
#define __builtin_va_arg(ap, type)                                         \
	__extension__({                                                    \
		void **__drover_ap = &(ap), *__drover_at = *__drover_ap;   \
		*__drover_ap = (char *)__drover_at +                       \
			       (sizeof(type) > 16 ? 8 : (sizeof(type) + 7) / 8 * 8); \
		if (sizeof(type) > 16)                                     \
			__drover_at = *(void **)__drover_at;               \
		((struct {                                                 \
			__typeof__(type) v;                                \
		} __attribute__((__packed__, __aligned__(8))) *)__drover_at)->v; \
	})

#endif
#endif
