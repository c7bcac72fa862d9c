/* Signal handlers on x86-64: a program sees AArch64's ucontext_t, whatever the kernel pushed. */
#include "migrator/rt/arch/arch.h"

#include <signal.h>
#include <string.h>
#include <ucontext.h>

/* asm/ucontext.h and asm/sigcontext.h of the kernel. */
struct context_native {
	uint64_t flags, link, stack_sp;
	int32_t stack_flags, stack_pad;
	uint64_t stack_size;
	uint64_t gregs[23];
	uint64_t fpstate, reserved[8];
	uint64_t mask;
};

enum { NATIVE_RSP = 15, NATIVE_RIP = 16, NATIVE_CR2 = 22 };

/* The unwinder takes the return address for one behind a call and looks just before it: there it
   finds that nothing called this. */
__asm__(".text\n"
	".type arch_signal_return,@function\n"
	".cfi_startproc\n"
	".cfi_undefined rip\n"
	"	nop\n"
	".global arch_signal_return\n"
	"arch_signal_return:\n"
	"	mov $15,%eax\n"
	"	syscall\n"
	".cfi_endproc\n"
	".size arch_signal_return,.-arch_signal_return\n");

/* Mask, stack, pc, sp and fault address are real, and changes to mask and pc take effect; the
   general registers are another machine's and zero. */
void arch_signal_call(void (*handler)(int, void *, void *), int signal, void *info, void *context)
{
	struct context_native *k = context;
	ucontext_t c;

	memset(&c, 0, sizeof c);
	c.uc_stack.ss_sp = (void *)k->stack_sp;
	c.uc_stack.ss_flags = k->stack_flags;
	c.uc_stack.ss_size = k->stack_size;
	memcpy(&c.uc_sigmask, &k->mask, sizeof k->mask);
	c.uc_mcontext.pc = k->gregs[NATIVE_RIP];
	c.uc_mcontext.sp = k->gregs[NATIVE_RSP];
	c.uc_mcontext.fault_address = k->gregs[NATIVE_CR2];
	handler(signal, info, &c);
	memcpy(&k->mask, &c.uc_sigmask, sizeof k->mask);
	k->gregs[NATIVE_RIP] = c.uc_mcontext.pc;
}
