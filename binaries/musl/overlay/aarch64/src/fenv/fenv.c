/* The floating-point environment: FPCR and FPSR (Arm ARM C5.2), one function a section as on x86-64. */
#include <fenv.h>

#define FPCR_ROUND 0xc00000u

static unsigned fpcr_get(void)
{
	unsigned long r;
	__asm__ __volatile__("mrs %0, fpcr" : "=r"(r));
	return (unsigned)r;
}

static void fpcr_set(unsigned v)
{
	__asm__ __volatile__("msr fpcr, %0" : : "r"((unsigned long)v));
}

static unsigned fpsr_get(void)
{
	unsigned long r;
	__asm__ __volatile__("mrs %0, fpsr" : "=r"(r));
	return (unsigned)r;
}

static void fpsr_set(unsigned v)
{
	__asm__ __volatile__("msr fpsr, %0" : : "r"((unsigned long)v));
}

int feclearexcept(int mask)
{
	fpsr_set(fpsr_get() & ~((unsigned)mask & FE_ALL_EXCEPT));
	return 0;
}

int feraiseexcept(int mask)
{
	fpsr_set(fpsr_get() | ((unsigned)mask & FE_ALL_EXCEPT));
	return 0;
}

int fetestexcept(int mask)
{
	return (int)(fpsr_get() & (unsigned)mask & FE_ALL_EXCEPT);
}

int fegetround(void)
{
	return (int)(fpcr_get() & FPCR_ROUND);
}

__attribute__((__visibility__("hidden"))) int __fesetround(int r)
{
	fpcr_set((fpcr_get() & ~FPCR_ROUND) | ((unsigned)r & FPCR_ROUND));
	return 0;
}

int fegetenv(fenv_t *envp)
{
	envp->__fpcr = fpcr_get() & FPCR_ROUND;
	envp->__fpsr = fpsr_get() & FE_ALL_EXCEPT;
	return 0;
}

int fesetenv(const fenv_t *envp)
{
	unsigned cr = envp == FE_DFL_ENV ? 0 : envp->__fpcr;
	unsigned sr = envp == FE_DFL_ENV ? 0 : envp->__fpsr;

	__fesetround((int)cr);
	fpsr_set((fpsr_get() & ~(unsigned)FE_ALL_EXCEPT) | (sr & FE_ALL_EXCEPT));
	return 0;
}
