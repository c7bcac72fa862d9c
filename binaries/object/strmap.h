/*
 * Map from strings to numbers: which symbol, section or type has which index.
 *
 * Keys are borrowed: they must outlive the map.  Nothing is ever removed.
 */
#ifndef DROVER_STRMAP_H
#define DROVER_STRMAP_H

#include <stddef.h>
#include <stdint.h>

#define STRMAP_NONE SIZE_MAX

struct strmap_slot {
	const char *key;
	size_t value;
};

struct strmap {
	struct strmap_slot *slots;
	size_t n, cap; /* cap is 0 or a power of two */
};

/* The value of KEY, or STRMAP_NONE. */
size_t strmap_get(const struct strmap *m, const char *key);
/*
 * Gives KEY the value VALUE unless it has one; returns the value it has then,
 * or STRMAP_NONE when memory is out.
 */
size_t strmap_put(struct strmap *m, const char *key, size_t value);
void strmap_free(struct strmap *m);

#endif
