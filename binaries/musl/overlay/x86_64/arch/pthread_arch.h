/* The thread structure begins at the thread pointer on both ISAs, so that it has one layout. */
static inline uintptr_t __get_tp(void)
{
	uintptr_t tp;
	__asm__("mov %%fs:0,%0" : "=r"(tp));
	return tp;
}

#define MC_PC pc
