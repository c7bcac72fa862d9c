/* A thread that spins may wait for one that stands still: each round passes a migration point. */
#include "pthread_impl.h"

void __drover_spin(void);

int pthread_spin_lock(pthread_spinlock_t *s)
{
	while (*(volatile int *)s || a_cas(s, 0, EBUSY))
		__drover_spin();
	return 0;
}
