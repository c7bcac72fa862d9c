/* A hash table that grows: chained buckets, keys on the heap, removal, callback over all entries.
 */
#include "sum.h"

#include <stdlib.h>

struct entry {
	struct entry *next;
	char *key;
	long value;
};

struct table {
	struct entry **buckets;
	size_t size, used;
};

static uint64_t hash(const char *s)
{
	return mixs(SUM_START, s);
}

static void grow(struct table *t, size_t size)
{
	struct entry **b = calloc(size, sizeof(struct entry *));

	for (size_t i = 0; i < t->size; i++)
		while (t->buckets[i]) {
			struct entry *e = t->buckets[i];

			t->buckets[i] = e->next;
			e->next = b[hash(e->key) % size];
			b[hash(e->key) % size] = e;
		}
	free(t->buckets);
	t->buckets = b;
	t->size = size;
}

static long *get(struct table *t, const char *key)
{
	struct entry **at, *e;

	if (t->used * 4 >= t->size * 3)
		grow(t, t->size * 2);
	at = &t->buckets[hash(key) % t->size];
	for (e = *at; e; e = e->next)
		if (!strcmp(e->key, key))
			return &e->value;
	e = malloc(sizeof(*e));
	*e = (struct entry){*at, strdup(key), 0};
	*at = e;
	t->used++;
	return &e->value;
}

int main(void)
{
	struct table t = {NULL, 0, 0};
	uint64_t h = 0;
	char key[32];

	grow(&t, 4);
	for (int i = 0; i < some(18); i++) {
		snprintf(key, sizeof(key), "key-%d", i * i % 17);
		*get(&t, key) += i;
	}
	printf("%zu keys in %zu buckets\n", t.used, t.size);
	for (int i = 0; i < some(17); i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		printf("%s=%ld\n", key, *get(&t, key));
	}
	for (size_t i = 0; i < t.size; i++)
		while (t.buckets[i]) {
			struct entry *e = t.buckets[i];

			h ^= mix(hash(e->key), (uint64_t)e->value);
			t.buckets[i] = e->next;
			free(e->key);
			free(e);
		}
	free(t.buckets);
	show("entries", h);
	return 0;
}
