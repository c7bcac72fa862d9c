/* AArch64's numbers and structures are the canonical ones: nothing to translate. */
#include "migrator/rt/arch/arch.h"

#include "image.h"

const uint32_t arch_isa = DROVER_ISA_AARCH64;

long arch_raw(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ __volatile__("svc 0"
			     : "+r"(x0)
			     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			     : "memory", "cc");
	return x0;
}

long arch_number(long n)
{
	return n;
}

long arch_kernel(long n, long a, long b, long c, long d, long e, long f)
{
	return arch_raw(n, a, b, c, d, e, f);
}

long arch_epoll_events(long result, void *events)
{
	(void)events;
	return result;
}

void arch_signal_call(void (*handler)(int, void *, void *), int signal, void *info, void *context)
{
	handler(signal, info, context);
}

/* The unwinder takes the return address for one behind a call and looks just before it: there it
   finds that nothing called this. */
__asm__(".text\n"
	".p2align 2\n"
	".type arch_signal_return,%function\n"
	".cfi_startproc\n"
	".cfi_undefined x30\n"
	"	nop\n"
	".global arch_signal_return\n"
	"arch_signal_return:\n"
	"	mov x8, #139\n"
	"	svc 0\n"
	".cfi_endproc\n"
	".size arch_signal_return,.-arch_signal_return\n");
