/* A directory read entry by entry, the descriptors of devices, and the working directory. */
#define _GNU_SOURCE
#include "sum.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	char dir[256], name[32], buf[8] = "";
	unsigned seen = 0, twice = 0;
	uint64_t h = SUM_START;
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/drover-program-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || chdir(dir))
		return 2;
	umask(027);
	for (int i = 0; i < some(20); i++) {
		snprintf(name, sizeof(name), "entry-%d", i);
		close(open(name, O_WRONLY | O_CREAT, 0666));
	}
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY),
	    full = open("/dev/full", O_WRONLY), random = open("/dev/urandom", O_RDONLY);

	d = opendir(".");
	while (d && (e = readdir(d))) {
		unsigned n = (unsigned)atoi(e->d_name + 6);

		if (e->d_name[0] != 'e')
			continue;
		twice |= seen & 1u << n;
		seen |= 1u << n;
		if (write(null, e->d_name, 5) != 5 || read(zero, buf, 4) != 4 || buf[3] ||
		    write(full, "x", 1) != -1 || read(random, buf, 8) != 8)
			printf("a device fails\n");
	}
	printf("seen %x twice %x\n", seen, twice);
	closedir(d);
	for (int i = 0; i < some(20); i++) {
		struct stat st;

		snprintf(name, sizeof(name), "entry-%d", i);
		if (!stat(name, &st))
			h = mix(h, st.st_mode);
		unlink(name);
	}
	chdir("/");
	rmdir(dir);
	show("modes", h);
	return 0;
}
