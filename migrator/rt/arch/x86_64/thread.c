/* Threads and interruptible calls on x86-64. */
#include "migrator/rt/arch/arch.h"

#include <errno.h>
#include <sys/syscall.h>

uintptr_t arch_thread_pointer(void)
{
	uintptr_t tp;

	__asm__("mov %%fs:0,%0" : "=r"(tp));
	return tp;
}

/* clone(flags, stack, parent_tid, child_tid, tls); the child finds fn and its argument on its
 * stack. */
__asm__(".text\n"
	".global arch_clone\n"
	".type arch_clone,@function\n"
	"arch_clone:\n"
	".cfi_startproc\n"
	"	mov 8(%rsp),%rax\n"
	"	mov %rcx,%r10\n"
	"	and $-16,%rsi\n"
	"	sub $16,%rsi\n"
	"	mov %r9,(%rsi)\n"
	"	mov %rax,8(%rsi)\n"
	"	mov $56,%eax\n"
	"	syscall\n"
	"	test %eax,%eax\n"
	"	jz 1f\n"
	"	ret\n"
	".cfi_undefined rip\n"
	"1:	xor %ebp,%ebp\n"
	"	pop %rax\n"
	"	pop %rdi\n"
	"	call *%rax\n"
	"	hlt\n"
	".cfi_endproc\n"
	".size arch_clone,.-arch_clone\n");

/* Between the look at the flag and the kernel there are two instructions: a handler that finds the
 * program counter there, or at the call because the kernel makes it again, moves it past them. */
__asm__(".text\n"
	".global arch_wait\n"
	".type arch_wait,@function\n"
	"arch_wait:\n"
	".cfi_startproc\n"
	"	mov %rsi,%rax\n"
	"	mov %rdi,%r11\n"
	"	mov %rdx,%rdi\n"
	"	mov %rcx,%rsi\n"
	"	mov %r8,%rdx\n"
	"	mov %r9,%r10\n"
	"	mov 8(%rsp),%r8\n"
	"	mov 16(%rsp),%r9\n"
	"arch_wait_begin:\n"
	"	cmpl $0,(%r11)\n"
	"	jne arch_wait_again\n"
	"arch_wait_call:\n"
	"	syscall\n"
	"arch_wait_end:\n"
	"	ret\n"
	"arch_wait_again:\n"
	"	mov $-512,%rax\n"
	"	ret\n"
	".cfi_endproc\n"
	".size arch_wait,.-arch_wait\n");

extern const char arch_wait_begin[], arch_wait_end[], arch_wait_again[];

/* asm/ucontext.h: uc_flags, uc_link, uc_stack, then the registers of asm/sigcontext.h. */
enum { GREGS = 5, RAX = 13, RIP = 16 };

void arch_wait_break(void *context)
{
	int64_t *regs = (int64_t *)context + GREGS;
	int64_t pc = regs[RIP];

	if ((pc >= (int64_t)arch_wait_begin && pc < (int64_t)arch_wait_end) ||
	    (pc == (int64_t)arch_wait_end && regs[RAX] == -EINTR))
		regs[RIP] = (int64_t)arch_wait_again;
}
