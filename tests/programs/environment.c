/* Arguments, environment and working directory, read before, between and after the points. */
#include "sum.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	char before[PATH_MAX], after[PATH_MAX];
	const char *kept = getenv("PATH"), *mine;
	int same = 1;

	if (!getcwd(before, sizeof(before)) || chdir("/") != 0)
		return 2;
	setenv("DROVER_TEST_VALUE", "first", 1);
	for (int i = 0; i < some(24); i++) {
		char value[32];

		snprintf(value, sizeof(value), "value %d", i);
		mine = getenv("DROVER_TEST_VALUE");
		printf("%s,", mine ? mine : "none");
		same &= getenv("PATH") && !strcmp(getenv("PATH"), kept);
		if (i % 6 == 5)
			unsetenv("DROVER_TEST_VALUE");
		else
			setenv("DROVER_TEST_VALUE", value, 1);
	}
	putchar('\n');
	for (int i = 1; i < argc; i++)
		printf("argument %d %s%s\n", i, argv[i], i + 1 == argc ? " (last)" : "");
	printf("count %d end %d\n", argc, argv[argc] == NULL);
	if (!getcwd(after, sizeof(after)))
		return 3;
	printf("in %s, path kept %d, environment %d\n", after, same, environ[0] != NULL);
	if (chdir(before) != 0 || !getcwd(after, sizeof(after)))
		return 4;
	printf("back %d\n", strcmp(before, after) == 0);
	return 0;
}
