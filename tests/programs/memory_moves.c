/* memcpy, memmove, memset and memcmp over structs, their parts, and overlapping arrays. */
#include "sum.h"

/* Without padding: all of its bytes are looked at. */
struct part {
	short a;
	char name[14];
	double b;
	struct {
		int x, y;
	} at[3];
};

int main(void)
{
	struct part ring[6], spare;
	unsigned char raw[sizeof(struct part)];
	uint64_t h = SUM_START;

	memset(ring, 0, sizeof(ring));
	memset(&spare, 0, sizeof(spare));
	for (int i = 0; i < some(6); i++) {
		ring[i].a = (short)(i * 1000);
		ring[i].b = i / 8.0;
		snprintf(ring[i].name, sizeof(ring[i].name), "part %u", (unsigned int)i % 10);
		ring[i].at[i % 3].x = i;
	}
	for (int i = 0; i < some(30); i++) {
		memcpy(&spare, &ring[5], sizeof(spare));
		memmove(&ring[1], &ring[0], 5 * sizeof(ring[0]));
		memcpy(&ring[0], &spare, sizeof(spare));
		memmove(ring[i % 6].name + 1, ring[i % 6].name, 12);
		memcpy(&ring[i % 6].at[1], &ring[(i + 1) % 6].at[0], 2 * sizeof(ring[0].at[0]));
		ring[i % 6].at[0].y += i;
		memcpy(raw, &ring[2], sizeof(raw));
		for (size_t k = 0; k < sizeof(raw); k++)
			h = mix(h, raw[k]);
		h = mix(h, memcmp(&ring[0], &ring[3], sizeof(ring[0])) == 0);
		ring[4].b += 0.25;
	}
	for (int i = 0; i < some(6); i++)
		printf("%d %g %.14s %d %d\n", ring[i].a, ring[i].b, ring[i].name, ring[i].at[0].x,
		       ring[i].at[2].y);
	show("bytes", h);
	return 0;
}
