/*
 * Many structures of one small size side by side, for what is looked at far more
 * often than the rest of its object: on cache lines of their own and on few pages.
 */
#ifndef DROVER_SCHEDULER_CORE_SLAB_H
#define DROVER_SCHEDULER_CORE_SLAB_H

#include <stddef.h>

struct slab {
	size_t size;  /* of one; a multiple of 64 bytes */
	void *free;   /* list of those given back */
	void *chunks; /* list */
	size_t used;  /* of the first chunk */
};

void slab_init(struct slab *s, size_t size);
/* One filled with zeroes; NULL: no memory. */
void *slab_get(struct slab *s);
/* NULL-safe. */
void slab_put(struct slab *s, void *p);
/* Frees all of them. */
void slab_free(struct slab *s);

#endif
