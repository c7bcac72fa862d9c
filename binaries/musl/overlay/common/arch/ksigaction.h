/* One layout for both ISAs; the runtime supplies the restorer the kernel needs. */
#include <features.h>

struct k_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned mask[2];
};

hidden void __restore_rt(void);
#define __restore __restore_rt
