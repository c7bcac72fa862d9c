/* State that the C library keeps between calls: strtok, getopt, hsearch, drand48, locale objects,
 * time zones, the environment, memory streams, the error of dlopen. */
#define _GNU_SOURCE
#include "sum.h"

#include <dlfcn.h>
#include <locale.h>
#include <search.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

int main(void)
{
	char text[] = "a,bc;def,,g;hi", *save, *word = strtok(text, ",;"),
	     list[] = "1 22 333 4444 55555", *item = strtok_r(list, " ", &save);
	char *args[] = {"prog", "-a", "-bvalue", "-c", "x", "rest", NULL}, *memory = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&memory, &size);
	FILE *reader = fmemopen("line one\nline two\nline three\n", 29, "r");
	uint64_t h = SUM_START;
	mbstate_t shift = {0};
	wchar_t wide;
	struct tm tm = {.tm_year = 99, .tm_mon = 11, .tm_mday = 31, .tm_isdst = -1};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	setlocale(LC_ALL, "C.UTF-8");
	srand48(42);
	hcreate(16);
	void *library = dlopen("libm.so.6", RTLD_NOW),
	     *(*volatile open)(const char *, int) = dlopen;
	for (int i = 0; i < some(6); i++) {
		char line[32] = "", bytes[] = "\xc3\xa9";
		int o = getopt(6, args, "ab:c");
		time_t t = 946684800 + i * 15000000L;

		h = mix(h, (uint64_t)o + (uint64_t)optind * 1000);
		h = mixs(h, word ? word : "none");
		h = mixs(h, item ? item : "none");
		h = mix(h, (uint64_t)lrand48());
		hsearch((ENTRY){word ? word : "none", args[i]}, ENTER);
		fprintf(stream, "%d:%s;", i, optarg ? optarg : "-");
		if (fgets(line, sizeof(line), reader))
			h = mixs(h, line);
		mbrtowc(&wide, bytes + i % 2, 1, &shift); /* half a character stays in the state */
		h = mix(h, (uint64_t)mbsinit(&shift));
		strftime(line, sizeof(line), "%F %T %Z", localtime(&t));
		printf("%d %s %s\n", i, word ? word : "none", line);
		h = mixs(h, line);
		word = strtok(NULL, ",;");
		item = strtok_r(NULL, " ", &save);
	}
	fclose(stream);
	h = mixs(h, memory);
	h = mix(h, (uint64_t)mktime(&tm));
	h = mixs(h, hsearch((ENTRY){"def", NULL}, FIND)->data);
	h = mixs(h, library || open("libm.so.6", RTLD_NOW) ? "loaded" : dlerror());
	show("library", h);
	free(memory);
	fclose(reader);
	hdestroy();
	return 0;
}
