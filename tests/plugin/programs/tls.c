/* Thread-local variables, an inline function whose definition is elsewhere, weak data. */
#include <stdio.h>
#include <string.h>
static _Thread_local int hits;
_Thread_local long seed = 7;
static _Thread_local char text[20] = "tls";
inline int twice(int x)
{
	for (int i = 0; i < x; i++)
		printf("t");
	return 2 * x;
}
extern int twice(int x);
__attribute__((weak)) int tunable = 3;
static long next(void)
{
	hits++;
	seed = seed * 31 + tunable;
	return seed;
}
static int scan(const char *s)
{
	static int state;
	for (; *s; s++) {
		switch (*s) {
		case '+': state++; break;
		case '-': state--; break;
		default: state *= 2;
		}
		printf("%d,", state);
	}
	return state;
}
int main(void)
{
	long t = 0;
	for (int i = 0; i < 5; i++) {
		t += next();
		strcat(text, "x");
		printf("%ld %s\n", t, text);
	}
	printf("%d %d %d\n", hits, twice(3), scan("++a-b"));
	return hits;
}
