/* Plain, signed and unsigned char: sign extension, wrap-around, tables indexed by them. */
#include "sum.h"

static char plain[16];
static signed char sc[16];
static unsigned char uc[16];

static int classify(char c)
{
	return c < 0 ? -1 : c == 0 ? 0 : c < 64 ? 1 : 2;
}

int main(void)
{
	int classes[4] = {0}, total = 0;
	uint64_t h = SUM_START;
	char text[] = "caf\xc3\xa9 \xe2\x82\xac \xff";

	for (int i = 0; i < some(32); i++) {
		plain[i % 16] = (char)(plain[(i + 5) % 16] + i * 37);
		sc[i % 16] = (signed char)(plain[i % 16] >> 1);
		uc[i % 16] = (unsigned char)(uc[(i + 15) % 16] * 3 + plain[i % 16]);
		classes[classify(plain[i % 16]) + 1]++;
		total += plain[i % 16] + sc[i % 16] * uc[i % 16];
		h = mix(h, (uint64_t)(int64_t)plain[i % 16]);
		h = mix(mix(h, (uint64_t)(int64_t)sc[i % 16]), uc[i % 16]);
	}
	printf("%d %d %d %d %d\n", classes[0], classes[1], classes[2], classes[3], total);
	for (char *p = text; *p; p++)
		printf("%d ", *p);
	printf("\n%d %d\n", (char)200 < 0, text[3] == '\xc3');
	show("chars", h);
	return 0;
}
