/* The thread structure begins at the thread pointer on both ISAs. */
#define __get_tp() ((uintptr_t)__builtin_thread_pointer())
#define MC_PC pc
