/* String functions: strtok and strtol with their hidden state, search, copy, compare, convert. */
#include "sum.h"

#include <ctype.h>
#include <stdlib.h>

static void reverse(char *s)
{
	for (size_t i = 0, j = strlen(s); i + 1 < j; i++) {
		char t = s[i];

		s[i] = s[--j];
		s[j] = t;
	}
}

int main(void)
{
	char line[] = "alpha=10,beta=-20,,gamma=0x1f;delta=077;epsilon = 3.5e2", out[128] = "";
	char *save, *inner, numbers[] = "1 -2 0x30 077 99999999999999999999 12abc", *p = numbers;
	uint64_t h = SUM_START;

	for (char *t = strtok(line, ",;"); t; t = strtok(NULL, ",;")) {
		char *eq = strchr(t, '=');
		size_t room = sizeof(out) - strlen(out) - 1;

		printf("%.*s is %s\n", eq ? (int)(eq - t) : 4, t, eq ? eq + 1 : "nothing");
		strncat(out, t, room < 6 ? room : 6);
		h = mixs(h, t);
	}
	reverse(out);
	puts(out);
	for (;;) {
		char *end;
		long n = strtol(p, &end, 0);

		if (end == p)
			break;
		printf("%ld(%c) ", n, *end ? *end : '.');
		p = end;
	}
	putchar('\n');
	char pairs[] = "a:1 b:2|c:3 d:4|e:5";

	for (char *g = strtok_r(pairs, "|", &save); g; g = strtok_r(NULL, "|", &save))
		for (char *t = strtok_r(g, " ", &inner); t; t = strtok_r(NULL, " ", &inner))
			printf("%s,", t);
	putchar('\n');
	for (int i = 0; i < some(7); i++) {
		snprintf(out, sizeof(out), "%08d-%s", i * 7919, i & 1 ? "odd" : "even");
		for (char *q = out; *q; q++)
			*q = (char)toupper((unsigned char)*q);
		h = mix(mixs(h, out), strspn(out, "0") * 10 + strcspn(out, "-"));
		h = mix(h, (uint64_t)(strstr(out, "EVEN") ? strstr(out, "EVEN") - out : 99));
		h = mix(h,
			(uint64_t)(strcmp(out, "00050000") > 0) + (memchr(out, 'D', 10) != NULL));
	}
	show("strings", h);
	return 0;
}
