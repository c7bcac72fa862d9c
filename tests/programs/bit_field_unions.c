/* Bit-fields in unions and nested structures, of every width and sign, also passed by value. */
#include "sum.h"

union word {
	uint32_t all;
	struct {
		unsigned low : 5, mid : 11, : 0;
	};
	struct {
		int sign : 3;
		_Bool flag : 1;
		signed rest : 28;
	} s;
};
struct packed {
	uint64_t a : 40, b : 24;
	union word w[2];
	unsigned char c : 3, d : 5;
} __attribute__((packed));

static struct packed turn(struct packed p, int i)
{
	p.a = p.a * 3 + (unsigned)i;
	p.b ^= p.a >> 20;
	p.w[i & 1].s.rest -= i * 1000;
	p.w[i & 1].s.flag = i % 3 == 1;
	p.c++;
	p.d += 7;
	return p;
}

int main(void)
{
	struct packed p = {.a = 0x123456789a, .b = 99, .w = {{.all = 0xdeadbeef}, {.all = 7}}};
	uint64_t h = SUM_START;

	for (int i = 0; i < some(10); i++) {
		union word u = p.w[i & 1];

		u.mid = u.mid + 100;
		u.low--;
		p.w[1 - (i & 1)].s.sign = u.s.sign + 1;
		p = turn(p, i);
		printf("%d %u %d %u\n", i, u.mid, p.w[0].s.rest, p.c);
		h = mix(mix(h, p.a), p.b + u.all);
		h = mix(h, (uint64_t)(p.w[0].all ^ p.w[1].all) << 8 | p.c << 5 | p.d);
	}
	show("fields", h);
	return 0;
}
