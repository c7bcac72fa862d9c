/* Threads and interruptible calls on AArch64. */
#include "migrator/rt/arch/arch.h"

#include <errno.h>
#include <ucontext.h>

uintptr_t arch_thread_pointer(void)
{
	uintptr_t tp;

	__asm__("mrs %0,tpidr_el0" : "=r"(tp));
	return tp;
}

/* clone(flags, stack, parent_tid, tls, child_tid); the child finds fn and its argument on its
 * stack. */
__asm__(".text\n"
	".p2align 2\n"
	".global arch_clone\n"
	".type arch_clone,%function\n"
	"arch_clone:\n"
	".cfi_startproc\n"
	"	and x1,x1,#-16\n"
	"	stp x5,x6,[x1,#-16]!\n"
	"	mov x7,x3\n"
	"	mov x3,x4\n"
	"	mov x4,x7\n"
	"	mov x8,#220\n"
	"	svc 0\n"
	"	cbz x0,1f\n"
	"	ret\n"
	".cfi_undefined x30\n"
	"1:	mov x29,xzr\n"
	"	mov x30,xzr\n"
	"	ldp x1,x0,[sp],#16\n"
	"	blr x1\n"
	"	brk #0\n"
	".cfi_endproc\n"
	".size arch_clone,.-arch_clone\n");

/* As on x86-64: a handler that finds the program counter between the look at the flag and the
 * kernel's answer moves it past the call. */
__asm__(".text\n"
	".p2align 2\n"
	".global arch_wait\n"
	".type arch_wait,%function\n"
	"arch_wait:\n"
	".cfi_startproc\n"
	"	mov x9,x0\n"
	"	mov x8,x1\n"
	"	mov x0,x2\n"
	"	mov x1,x3\n"
	"	mov x2,x4\n"
	"	mov x3,x5\n"
	"	mov x4,x6\n"
	"	mov x5,x7\n"
	"arch_wait_begin:\n"
	"	ldr w10,[x9]\n"
	"	cbnz w10,arch_wait_again\n"
	"	svc 0\n"
	"arch_wait_end:\n"
	"	ret\n"
	"arch_wait_again:\n"
	"	mov x0,#-512\n"
	"	ret\n"
	".cfi_endproc\n"
	".size arch_wait,.-arch_wait\n");

extern const char arch_wait_begin[], arch_wait_end[], arch_wait_again[];

void arch_wait_break(void *context)
{
	mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;

	if ((m->pc >= (unsigned long)arch_wait_begin && m->pc < (unsigned long)arch_wait_end) ||
	    (m->pc == (unsigned long)arch_wait_end && (long)m->regs[0] == -EINTR))
		m->pc = (unsigned long)arch_wait_again;
}
