/* Reading: standard input half-way, pushed-back characters, a file read and written in turns. */
#include "sum.h"

#include <ctype.h>

int main(void)
{
	int c, words = 0, lines = 0, number;
	uint64_t h = SUM_START;
	char word[32];

	/* Numbers and words of the first half, one character of look-ahead each. */
	while (words < some(20) && (c = getchar()) != EOF) {
		if (isspace(c)) {
			lines += c == '\n';
			continue;
		}
		ungetc(c, stdin);
		if (isdigit(c)) {
			if (scanf("%d", &number) != 1)
				return 2;
			h = mix(h, (uint64_t)number);
			printf("number %d\n", number);
		} else {
			if (scanf("%31s", word) != 1)
				return 3;
			h = mixs(h, word);
			printf("word %s\n", word);
		}
		words++;
	}
	c = getchar();
	ungetc('!', stdin);
	printf("behind them %d\n", c);
	/* The rest by line. */
	char line[128];

	while (fgets(line, sizeof(line), stdin)) {
		lines++;
		h = mixs(h, line);
		printf("%2d %s", lines, line);
	}
	printf("end %d\n", feof(stdin) != 0);
	show("input", h);
	return 0;
}
