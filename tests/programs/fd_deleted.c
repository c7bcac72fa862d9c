/* Files without a path: deleted while open, opened twice, temporary, and memory files. */
#define _GNU_SOURCE
#include "scratch.h"
#include "sum.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(void)
{
	char path[256], buf[40];
	struct stat st;
	uint64_t h = SUM_START;
	FILE *t = tmpfile();
	int a, b, m = memfd_create("numbers", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	scratch_file(path, sizeof(path));
	a = open(path, O_RDWR | O_APPEND | O_NOFOLLOW);
	b = open(path, O_RDONLY | O_NOFOLLOW);
	if (!t || m < 0 || a < 0 || b < 0 || unlink(path))
		return 2;
	for (int i = 0; i < some(30); i++) {
		int n = snprintf(buf, sizeof(buf), "line %d of many\n", i);

		if (write(a, buf, (size_t)n) != n || fprintf(t, "%d ", i * i) < 0 ||
		    pwrite(m, &i, sizeof(i), i * 4097) != sizeof(i))
			printf("write failed\n");
		if (i % 2 && read(b, buf, 21) == 21)
			h = mix(h, (unsigned char)buf[20]);
		if (lseek(b, 0, SEEK_CUR) != (i + 1) / 2 * 21)
			printf("position is off at %d\n", i);
	}
	fflush(t);
	rewind(t);
	for (int v; fscanf(t, "%d", &v) == 1;)
		h = mix(h, (unsigned)v);
	for (int i = 0, v; pread(m, &v, sizeof(v), i * 4097) == sizeof(v); i++)
		h = mix(h, (unsigned)v);
	fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	for (int i = 0; i < some(3); i++)
		h = mix(h, (unsigned)fcntl(m, F_GET_SEALS));
	fstat(a, &st);
	printf("%ld bytes, %d links, append %d\n", (long)st.st_size, (int)st.st_nlink,
	       !!(fcntl(a, F_GETFL) & O_APPEND));
	show("contents", h);
	return 0;
}
