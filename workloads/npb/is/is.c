/*
 * NPB IS, "integer sort": ranks 2^n small integer keys ten times over (NAS-91-002, section 2.6).
 * It stresses memory: scattered reads and writes over the key and count arrays, integers only.
 * Keys are first put by their high bits into buckets that fit a cache, as in the reference.
 *
 * Members of a team put the keys of their shares into the buckets, then own whole buckets. Ranks
 * are integers, and within a bucket keys come in the order of the sequence, so a team's arrays are
 * those of one alone.
 */
#include "workloads/npb/is/is.h"

#include "workloads/npb/common/lcg.h"

#include <stdlib.h>
#include <string.h>

#define IS_SEED UINT64_C(314159265)

/* Problem sizes and official ranks of NPB. */
const struct is_class is_classes[NPB_CLASSES] = {
	[NPB_CLASS_S] = {.keys_log2 = 16,
			 .max_key_log2 = 11,
			 .buckets_log2 = 9,
			 .index = {48427, 17148, 23627, 62548, 4431},
			 .rank = {0, 18, 346, 64917, 65463},
			 .step = {1, 1, 1, -1, -1}},
	[NPB_CLASS_W] = {.keys_log2 = 20,
			 .max_key_log2 = 16,
			 .buckets_log2 = 10,
			 .index = {357773, 934767, 875723, 898999, 404505},
			 .rank = {1249, 11698, 1039987, 1043896, 1048018},
			 .step = {1, 1, -1, -1, -1},
			 .first = {2, 2, 0, 0, 0}},
	[NPB_CLASS_A] = {.keys_log2 = 23,
			 .max_key_log2 = 19,
			 .buckets_log2 = 10,
			 .index = {2112377, 662041, 5336171, 3642833, 4250760},
			 .rank = {104, 17523, 123928, 8288932, 8388264},
			 .step = {1, 1, 1, -1, -1},
			 .first = {1, 1, 1, 1, 1}},
	[NPB_CLASS_B] = {.keys_log2 = 25,
			 .max_key_log2 = 21,
			 .buckets_log2 = 10,
			 .index = {41869, 812306, 5102857, 18232239, 26860214},
			 .rank = {33422937, 10244, 59149, 33135281, 99},
			 .step = {-1, 1, 1, -1, 1}},
	[NPB_CLASS_C] = {.keys_log2 = 27,
			 .max_key_log2 = 23,
			 .buckets_log2 = 10,
			 .index = {44172927, 72999161, 74326391, 129606274, 21736814},
			 .rank = {61147, 882988, 266290, 133997595, 133525895},
			 .step = {1, 1, 1, -1, -1}},
};

uint64_t is_bytes(const struct is_class *c, int members)
{
	uint64_t buckets = UINT64_C(1) << c->buckets_log2;

	return 4 * ((UINT64_C(2) << c->keys_log2) + (UINT64_C(1) << c->max_key_log2) + buckets + 1 +
		    2 * buckets * (uint64_t)members);
}

/*
 * A key is the sum of four numbers in (0, 1) times a quarter of the largest key, cut to an integer.
 * In the generator's own units that is a sum and a shift.
 */
static void make_keys(uint32_t *keys, size_t n, int max_key_log2)
{
	int shift = NPB_LCG_BITS - (max_key_log2 - 2);
	uint64_t x = IS_SEED;

	for (size_t i = 0; i < n; i++) {
		uint64_t sum = 0;

		for (int j = 0; j < 4; j++) {
			x = npb_lcg_next(x, NPB_LCG_A);
			sum += x;
		}
		keys[i] = (uint32_t)(sum >> shift);
	}
}

void is_init(struct is_state *s, const struct is_class *c, struct npb_team *team, int members)
{
	size_t n = (size_t)1 << c->keys_log2, buckets = (size_t)1 << c->buckets_log2;

	*s = (struct is_state){
		.c = c,
		.team = team,
		.keys = npb_alloc("is", n, sizeof(uint32_t)),
		.sorted = npb_alloc("is", n, sizeof(uint32_t)),
		.counts = npb_alloc("is", (size_t)1 << c->max_key_log2, sizeof(uint32_t)),
		.begins = npb_alloc("is", buckets + 1, sizeof(uint32_t)),
		.sizes = npb_alloc("is", buckets * (size_t)members, sizeof(uint32_t)),
		.places = npb_alloc("is", buckets * (size_t)members, sizeof(uint32_t)),
	};
	make_keys(s->keys, n, c->max_key_log2);
}

/* How many keys of this member's share fall into each bucket. */
static void count_buckets(struct is_state *s, size_t nbuckets, int shift, int member, int members)
{
	size_t n = (size_t)1 << s->c->keys_log2, end = npb_share(n, member + 1, members);
	uint32_t *sizes = s->sizes + (size_t)member * nbuckets;
	const uint32_t *keys = s->keys;

	memset(sizes, 0, nbuckets * sizeof(*sizes));
	for (size_t i = npb_share(n, member, members); i < end; i++)
		sizes[keys[i] >> shift]++;
}

/* Puts this member's share of the keys into their buckets, behind those of the members before. */
static void to_buckets(struct is_state *s, size_t nbuckets, int shift, int member, int members)
{
	size_t n = (size_t)1 << s->c->keys_log2, end = npb_share(n, member + 1, members);
	uint32_t *places = s->places + (size_t)member * nbuckets, *sorted = s->sorted;
	const uint32_t *keys = s->keys;
	uint32_t at = 0;

	for (size_t b = 0; b < nbuckets; b++) {
		if (member == 0)
			s->begins[b] = at;
		for (int m = 0; m < members; m++) {
			if (m == member)
				places[b] = at;
			at += s->sizes[(size_t)m * nbuckets + b];
		}
	}
	if (member == 0)
		s->begins[nbuckets] = at;
	for (size_t i = npb_share(n, member, members); i < end; i++) {
		uint32_t key = keys[i];

		sorted[places[key >> shift]++] = key;
	}
}

/* The first bucket of a member: buckets are given out so that members have about as many keys. */
static size_t first_bucket(const struct is_state *s, size_t nbuckets, int member, int members)
{
	size_t from = npb_share((size_t)1 << s->c->keys_log2, member, members), b = 0;

	if (member == members)
		return nbuckets;
	while (b < nbuckets && s->begins[b] < from)
		b++;
	return b;
}

/* Counts the keys of this member's buckets, and from there how many are not above each value. */
static void count_keys(struct is_state *s, size_t nbuckets, int shift, int member, int members)
{
	size_t lo = first_bucket(s, nbuckets, member, members);
	size_t hi = first_bucket(s, nbuckets, member + 1, members);
	const uint32_t *sorted = s->sorted;
	uint32_t *counts = s->counts;

	memset(counts + (lo << shift), 0, ((hi - lo) << shift) * sizeof(*counts));
	for (size_t b = lo; b < hi; b++) {
		size_t first = b << shift, last = first + ((size_t)1 << shift);
		uint32_t sum = s->begins[b], end = s->begins[b + 1];

		for (uint32_t i = sum; i < end; i++)
			counts[sorted[i]]++;
		for (size_t k = first; k < last; k++) {
			sum += counts[k];
			counts[k] = sum;
		}
	}
}

static void rank(void *arg, int member, int members)
{
	struct is_state *s = arg;
	size_t nbuckets = (size_t)1 << s->c->buckets_log2;
	int shift = s->c->max_key_log2 - s->c->buckets_log2;

	count_buckets(s, nbuckets, shift, member, members);
	npb_team_barrier(s->team);
	to_buckets(s, nbuckets, shift, member, members);
	npb_team_barrier(s->team);
	count_keys(s, nbuckets, shift, member, members);
}

void is_rank(struct is_state *s, int iteration)
{
	const struct is_class *c = s->c;
	uint32_t probe[IS_TESTS];

	s->keys[iteration] = (uint32_t)iteration;
	s->keys[iteration + IS_ITERATIONS] = (uint32_t)((1 << c->max_key_log2) - iteration);
	for (int i = 0; i < IS_TESTS; i++)
		probe[i] = s->keys[c->index[i]];

	npb_team_run(s->team, rank, s);

	for (int i = 0; i < IS_TESTS; i++) {
		int64_t want = c->rank[i] + c->step[i] * (iteration - c->first[i]);

		if (probe[i] > 0 && (int64_t)s->counts[probe[i] - 1] == want)
			s->passed++;
		else
			fprintf(stderr,
				"drover-is: iteration %d: partial verification failed, test key "
				"%d\n",
				iteration, i);
	}
}

bool is_full_verify(struct is_state *s)
{
	size_t n = (size_t)1 << s->c->keys_log2, wrong = 0;
	const uint32_t *sorted = s->sorted;
	uint32_t *keys = s->keys, *counts = s->counts;

	for (size_t i = 0; i < n; i++) {
		uint32_t key = sorted[i];

		keys[--counts[key]] = key;
	}
	for (size_t i = 1; i < n; i++)
		wrong += keys[i - 1] > keys[i];
	if (wrong)
		fprintf(stderr, "drover-is: full verification: %zu keys out of order\n", wrong);
	return wrong == 0;
}

void is_free(struct is_state *s)
{
	free(s->keys);
	free(s->sorted);
	free(s->counts);
	free(s->begins);
	free(s->sizes);
	free(s->places);
	*s = (struct is_state){0};
}
