/* What a static AArch64 test program needs besides the C library of bundles and the unwinder:
 * the start hook, system calls passed on as they are, and where the unwind tables lie. */
#include <elf.h>
#include <stddef.h>

int __drover_start(int (*program)(int, char **, char **), int argc, char **argv, char **envp);
long __drover_syscall(long n, long a, long b, long c, long d, long e, long f);

int __drover_start(int (*program)(int, char **, char **), int argc, char **argv, char **envp)
{
	return program(argc, argv, envp);
}

long __drover_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}

/* glibc's <dlfcn.h>, which libgcc was compiled with. */
struct dl_find_object {
	unsigned long long flags;
	void *start, *end, *link_map, *eh_frame;
	unsigned long long reserved[7];
};
extern const Elf64_Ehdr __ehdr_start;
extern const char end[];
int _dl_find_object(void *pc, struct dl_find_object *out);

int _dl_find_object(void *pc, struct dl_find_object *out)
{
	const char *base = (const char *)&__ehdr_start;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(const void *)(base + __ehdr_start.e_phoff);

	if ((char *)pc < base || (char *)pc >= end)
		return -1;
	for (int i = 0; i < __ehdr_start.e_phnum; i++)
		if (p[i].p_type == PT_GNU_EH_FRAME) {
			*out = (struct dl_find_object){.start = (void *)base, .end = (void *)end};
			out->eh_frame = (void *)p[i].p_vaddr;
			return 0;
		}
	return -1;
}
