/*
 * Thread-local data of programs, which are compiled with -femulated-tls. In the C library rather
 * than from libgcc, because which object has which place, and each thread's places, are part of a
 * program's movable state. The object's layout is the compilers' (GCC and LLVM agree).
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"

struct object {
	size_t size, align;
	uintptr_t number; /* from 1; 0: not used yet */
	void *initial;    /* NULL: zero */
};

struct places {
	uintptr_t n;
	void *v[];
};

/* See companions.c. */
extern const void *const __drover_companions[];
static const void *const *const companions __attribute__((used)) = __drover_companions;

static volatile int lock[1];
static uintptr_t objects;
static pthread_key_t key;
static int has_key;

void *__emutls_get_address(struct object *o);

static void release(void *p)
{
	struct places *t = p;

	for (uintptr_t i = 0; i < t->n; i++)
		free(t->v[i]);
	free(t);
}

static uintptr_t number_of(struct object *o)
{
	uintptr_t n = __atomic_load_n(&o->number, __ATOMIC_ACQUIRE);

	if (n)
		return n;
	LOCK(lock);
	if (!has_key) {
		if (pthread_key_create(&key, release))
			abort();
		has_key = 1;
	}
	if (!o->number)
		__atomic_store_n(&o->number, ++objects, __ATOMIC_RELEASE);
	n = o->number;
	UNLOCK(lock);
	return n;
}

static struct places *places_for(uintptr_t number)
{
	struct places *t = pthread_getspecific(key), *larger;
	uintptr_t old = t ? t->n : 0, n = number + 16;

	if (old >= number)
		return t;
	larger = realloc(t, sizeof *t + n * sizeof *t->v);
	if (!larger)
		abort();
	memset(larger->v + old, 0, (n - old) * sizeof *larger->v);
	larger->n = n;
	if (pthread_setspecific(key, larger))
		abort();
	return larger;
}

void *__emutls_get_address(struct object *o)
{
	uintptr_t number = number_of(o);
	struct places *t = places_for(number);
	void **place = &t->v[number - 1];

	if (*place)
		return *place;
	if (posix_memalign(place, o->align < sizeof(void *) ? sizeof(void *) : o->align, o->size))
		abort();
	if (o->initial)
		memcpy(*place, o->initial, o->size);
	else
		memset(*place, 0, o->size);
	return *place;
}
