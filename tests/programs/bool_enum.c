/* _Bool and enums: stored, returned, packed in structs, negative and large enumerators. */
#include "sum.h"

#include <stdbool.h>

enum colour { RED = -3, GREEN, BLUE = 10, GREY = 0x7fffffff };
enum wide { LOW = 1, HIGH = 0x80000000u };

struct cell {
	_Bool alive, next;
	enum colour colour : 32;
	_Bool seen[3];
};

static bool rule(bool a, bool b, bool c)
{
	return (a ^ (b || c)) && !(a && b && c);
}

static enum colour turn(enum colour c)
{
	switch (c) {
	case RED:
		return GREEN;
	case GREEN:
		return BLUE;
	case BLUE:
		return GREY;
	default:
		return RED;
	}
}

int main(void)
{
	struct cell row[24] = {{0}};
	enum wide w = LOW;

	row[12].alive = true;
	for (int t = 0; t < some(4); t++) {
		bool any = false;

		for (int i = 0; i < 24; i++)
			row[i].next = rule(row[(i + 23) % 24].alive, row[i].alive,
					   row[(i + 1) % 24].alive);
		for (int i = 0; i < some(24); i++) {
			struct cell *c = &row[i];

			c->seen[t % 3] = c->alive = c->next;
			c->colour = c->alive ? turn(c->colour) : c->colour;
			any |= c->alive;
			putchar(c->alive ? '#' : '.');
		}
		w = any && w == LOW ? HIGH : LOW;
		printf(" %d %u\n", any, (unsigned int)w);
	}
	for (int i = 0; i < some(24); i++)
		printf("%d%d%d:%d ", row[i].seen[0], row[i].seen[1], row[i].seen[2], row[i].colour);
	putchar('\n');
	return 0;
}
