/*
 * The floating-point environment with AArch64's constants, so that a saved fenv_t, a mask of exceptions
 * and a rounding mode mean the same on both ISAs. Only the SSE unit counts: x87 is not used.
 *
 *            MXCSR (Intel SDM vol. 1, 10.2.3)      FPSR, FPCR (Arm ARM C5.2)
 * flags      IE 0, DE 1, ZE 2, OE 3, UE 4, PE 5     IOC 0, DZC 1, OFC 2, UFC 3, IXC 4
 * rounding   bits 13-14: 0 near 1 down 2 up 3 zero  bits 22-23: 0 near 1 up 2 down 3 zero
 */
#include <fenv.h>

#define MXCSR_FLAGS 0x3fu
#define MXCSR_ROUND 0x6000u

static unsigned mxcsr_get(void)
{
	unsigned m;
	__asm__ __volatile__("stmxcsr %0" : "=m"(m));
	return m;
}

static void mxcsr_set(unsigned m)
{
	__asm__ __volatile__("ldmxcsr %0" : : "m"(m));
}

static unsigned flags_from(unsigned mxcsr)
{
	return (mxcsr & 1) | (mxcsr >> 1 & 0x1e);
}

static unsigned flags_to(unsigned excepts)
{
	return (excepts & 1) | (excepts & 0x1e) << 1;
}

static unsigned swap_round(unsigned two_bits)
{
	return (two_bits >> 1 & 1) | (two_bits << 1 & 2);
}

int feclearexcept(int mask)
{
	mxcsr_set(mxcsr_get() & ~flags_to((unsigned)mask & FE_ALL_EXCEPT));
	return 0;
}

int feraiseexcept(int mask)
{
	mxcsr_set(mxcsr_get() | flags_to((unsigned)mask & FE_ALL_EXCEPT));
	return 0;
}

int fetestexcept(int mask)
{
	return (int)(flags_from(mxcsr_get()) & (unsigned)mask & FE_ALL_EXCEPT);
}

int fegetround(void)
{
	return (int)(swap_round((mxcsr_get() & MXCSR_ROUND) >> 13) << 22);
}

__attribute__((__visibility__("hidden"))) int __fesetround(int r)
{
	mxcsr_set((mxcsr_get() & ~MXCSR_ROUND) | swap_round((unsigned)r >> 22 & 3) << 13);
	return 0;
}

int fegetenv(fenv_t *envp)
{
	envp->__fpcr = (unsigned)fegetround();
	envp->__fpsr = (unsigned)fetestexcept(FE_ALL_EXCEPT);
	return 0;
}

int fesetenv(const fenv_t *envp)
{
	unsigned cr = envp == FE_DFL_ENV ? 0 : envp->__fpcr;
	unsigned sr = envp == FE_DFL_ENV ? 0 : envp->__fpsr;

	__fesetround((int)(cr & 0xc00000));
	mxcsr_set((mxcsr_get() & ~MXCSR_FLAGS) | flags_to(sr & FE_ALL_EXCEPT));
	return 0;
}
