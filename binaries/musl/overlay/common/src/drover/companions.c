/* libgcc's unwinder takes a program with pthread_key_create for one with threads, and then calls these,
 * which it knows weakly: they must come along. Whoever brings pthread_key_create names this table. */
#include <pthread.h>

extern const void *const __drover_companions[];

const void *const __drover_companions[] = {
	(void *)pthread_once,	    (void *)pthread_getspecific,  (void *)pthread_setspecific,
	(void *)pthread_mutex_lock, (void *)pthread_mutex_unlock,
};
