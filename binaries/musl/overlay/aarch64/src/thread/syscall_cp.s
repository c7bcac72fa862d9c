// long __syscall_cp_asm(volatile int *cancel, long nr, long a, long b, long c, long d, long e, long f)
// A cancellation point: as the C library's own, but the call is made by the runtime.
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
.type __syscall_cp_asm,%function
__syscall_cp_asm:
.cfi_startproc
__cp_begin:
	ldr w0, [x0]
	cbnz w0, __cp_cancel
	mov x0, x1
	mov x1, x2
	mov x2, x3
	mov x3, x4
	mov x4, x5
	mov x5, x6
	mov x6, x7
	stp x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	bl __drover_syscall
	ldp x29, x30, [sp], #16
	.cfi_def_cfa_offset 0
	.cfi_restore x29
	.cfi_restore x30
__cp_end:
	ret
__cp_cancel:
	b __cancel
.cfi_endproc
.size __syscall_cp_asm,.-__syscall_cp_asm
