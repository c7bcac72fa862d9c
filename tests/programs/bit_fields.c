/* Bit-fields: packed beside each other, signed and unsigned, crossing units, by value and in
 * arrays. */
#include "sum.h"

struct flags {
	unsigned int ready : 1, mode : 3, count : 12;
	signed int delta : 5;
	unsigned int : 0;
	unsigned int rest : 31;
	unsigned char tail : 4;
};

struct header {
	uint64_t version : 4, length : 20, id : 40;
};

static struct flags step(struct flags f, int i)
{
	f.ready ^= 1u;
	f.mode = (f.mode + 3u) & 7u;
	f.count = (f.count * 5u + (unsigned int)i) & 0xfffu;
	f.delta = (signed int)((unsigned int)i * 7u % 32u) - 16;
	f.rest = (f.rest ^ (f.count << 9)) & 0x7fffffffu;
	f.tail = (unsigned char)((f.tail + i) & 15);
	return f;
}

int main(void)
{
	struct flags f = {1, 2, 3, -4, 5, 6}, kept[6];
	struct header h = {6, 12345, UINT64_C(0xabcdef0123)};

	for (int i = 0; i < some(36); i++) {
		f = step(f, i);
		kept[i % 6] = f;
		h.length = (h.length + f.count) & 0xfffff;
		h.id = (h.id * 3 + f.rest) & UINT64_C(0xffffffffff);
		h.version = (h.version + 1u) & 15u;
	}
	for (int i = 0; i < some(6); i++)
		printf("%u %u %u %d %u %u\n", kept[i].ready, kept[i].mode, kept[i].count,
		       kept[i].delta, kept[i].rest, kept[i].tail);
	printf("%u %u %llx\n", (unsigned int)h.version, (unsigned int)h.length,
	       (unsigned long long)h.id);
	return 0;
}
