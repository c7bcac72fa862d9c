#include "scheduler/core/slab.h"

#include <stdlib.h>
#include <string.h>

#define LINE  64
#define CHUNK 65536

void slab_init(struct slab *s, size_t size)
{
	*s = (struct slab){.size = (size + LINE - 1) / LINE * LINE, .used = CHUNK};
}

void *slab_get(struct slab *s)
{
	void *p = s->free;

	if (p) {
		s->free = *(void **)p;
	} else {
		if (s->used + s->size > CHUNK) {
			void **chunk = aligned_alloc(LINE, CHUNK);

			if (!chunk)
				return NULL;
			*chunk = s->chunks;
			s->chunks = chunk;
			s->used = LINE; /* the first line has the link */
		}
		p = (char *)s->chunks + s->used;
		s->used += s->size;
	}
	return memset(p, 0, s->size);
}

void slab_put(struct slab *s, void *p)
{
	if (!p)
		return;
	*(void **)p = s->free;
	s->free = p;
}

void slab_free(struct slab *s)
{
	for (void **chunk = s->chunks, **next; chunk; chunk = next) {
		next = *chunk;
		free(chunk);
	}
	slab_init(s, s->size);
}
