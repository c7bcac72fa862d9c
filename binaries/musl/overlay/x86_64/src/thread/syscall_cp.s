# long __syscall_cp_asm(volatile int *cancel, long nr, long a, long b, long c, long d, long e, long f)
# A cancellation point: as the C library's own, but the call is made by the runtime.
.text
.global __cp_begin
.hidden __cp_begin
.global __cp_end
.hidden __cp_end
.global __cp_cancel
.hidden __cp_cancel
.hidden __cancel
.global __syscall_cp_asm
.hidden __syscall_cp_asm
.type __syscall_cp_asm,@function
__syscall_cp_asm:
.cfi_startproc
__cp_begin:
	mov (%rdi),%eax
	test %eax,%eax
	jnz __cp_cancel
	mov 16(%rsp),%rax
	mov %rsi,%rdi
	mov %rdx,%rsi
	mov %rcx,%rdx
	mov %r8,%rcx
	mov %r9,%r8
	mov 8(%rsp),%r9
	push %rax
	.cfi_adjust_cfa_offset 8
	call __drover_syscall
	pop %rcx
	.cfi_adjust_cfa_offset -8
__cp_end:
	ret
__cp_cancel:
	jmp __cancel
.cfi_endproc
.size __syscall_cp_asm,.-__syscall_cp_asm
