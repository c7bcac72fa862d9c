/* Output that stays unflushed in buffers of every kind while the program goes on. */
#include "scratch.h"
#include "sum.h"

static char own[64];

int main(void)
{
	char path[256], line[200];
	FILE *full, *by_line;
	int n = 0;

	scratch_file(path, sizeof(path));
	full = fopen(path, "w+");
	by_line = fopen(path, "a");
	if (!full || !by_line)
		return 2;
	setvbuf(full, own, _IOFBF, sizeof(own));
	setvbuf(by_line, NULL, _IOLBF, 128);
	for (int i = 0; i < some(32); i++) {
		printf("%d%s", i, i % 5 == 4 ? "\n" : ",");
		n += fprintf(full, "line %d of the file, longer than nothing\n", i);
		if (i % 7 == 0)
			fputs("[no newline]", stdout);
		if (i % 9 == 8)
			fflush(full);
	}
	printf("\nwritten %d at %ld\n", n, ftell(full));
	fprintf(by_line, "appended, ");
	fprintf(by_line, "in two parts\nand ");
	rewind(full);
	while (fgets(line, sizeof(line), full))
		fputs(line, stdout);
	fclose(by_line);
	while (fgets(line, sizeof(line), full))
		fputs(line, stdout);
	fclose(full);
	remove(path);
	printf("the last line has no end");
	return 0;
}
