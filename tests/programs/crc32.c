/* CRC-32 (IEEE 802.3) by table, CRC-64 by bit, and a rolling hash over the same changing buffer. */
#include "sum.h"

static uint32_t table[256];

static uint32_t crc32(uint32_t c, const unsigned char *p, size_t n)
{
	c = ~c;
	while (n--)
		c = table[(c ^ *p++) & 0xff] ^ c >> 8;
	return ~c;
}

static uint64_t crc64(uint64_t c, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		c ^= (uint64_t)p[i] << 56;
		for (int b = 0; b < 8; b++)
			c = c & UINT64_C(1) << 63 ? c << 1 ^ UINT64_C(0x42f0e1eba9ea3693) : c << 1;
	}
	return c;
}

int main(void)
{
	unsigned char buffer[300];
	uint64_t wide = 0, roll = 0;
	uint32_t c = 0;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t v = i;

		v = (v & 1 ? UINT32_C(0xedb88320) : 0) ^ v >> 1;
		for (int b = 0; b < 7; b++)
			v = (v & 1 ? UINT32_C(0xedb88320) : 0) ^ v >> 1;
		table[i] = v;
	}
	printf("check %08x\n", crc32(0, (const unsigned char *)"123456789", 9));
	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = (unsigned char)(i * i + 3);
	for (int round = 0; round < some(16); round++) {
		size_t n = 100 + (size_t)round * 12;

		c = crc32(c, buffer, n);
		wide = crc64(wide, buffer + round, n / 4);
		for (size_t i = 0; i < n; i += 16)
			roll = (roll << 5 | roll >> 59) ^ buffer[i];
		buffer[c % sizeof(buffer)] ^= (unsigned char)wide;
		printf("%08x %016llx %016llx\n", c, (unsigned long long)wide,
		       (unsigned long long)roll);
	}
	return 0;
}
