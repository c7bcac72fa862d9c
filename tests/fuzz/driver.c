/*
 * Runs a fuzz target over its corpus, for `make check`: the files of tests/fuzz/corpus/NAME, NAME
 * being the program's name without "fuzz_", or the files and folders named on the command line.
 * Each file is given whole, cut short at many places, and with single bytes changed, so that a
 * small corpus already reaches most refusals. With libFuzzer the target brings its own main
 * instead.
 */
#ifndef DROVER_LIBFUZZER
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_SEED (1u << 20)
#define VARIANTS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

/* Gives the target a copy of exactly this size, so that a sanitizer sees reads behind its end. */
static void give(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		exit(99);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

static void variants(uint8_t *data, size_t size)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff, 0x20};
	size_t step = size / VARIANTS + 1;

	for (size_t i = 0; i < size; i += step) {
		give(data, i);
		for (size_t m = 0; m < sizeof(masks); m++) {
			data[i] ^= masks[m];
			give(data, size);
			data[i] ^= masks[m];
		}
	}
}

static int run_file(const char *path)
{
	static uint8_t data[MAX_SEED];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	give(data, n);
	variants(data, n);
	return 0;
}

static int run_path(const char *path)
{
	char file[4096];
	struct dirent *d;
	struct stat st;
	int failed = 0;
	DIR *dir;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return run_file(path);
	dir = opendir(path);
	if (!dir)
		return 1;
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, d->d_name);
		failed |= run_file(file);
	}
	closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	const char *top = getenv("DROVER_SRCDIR");
	const char *name = strrchr(argv[0], '/');
	char corpus[4096];
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= run_path(argv[i]);
	if (argc == 1) {
		name = name ? name + 1 : argv[0];
		name = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
		snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s", top ? top : ".", name);
		failed = run_path(corpus);
	}
	printf("%lu inputs\n", inputs);
	return failed || inputs == 0;
}
#endif
