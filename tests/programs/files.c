/* Files: append, seek and read back, two streams on one file, low-level descriptors and offsets. */
#include "scratch.h"
#include "sum.h"

#include <fcntl.h>

int main(void)
{
	char path[256], line[80];
	FILE *append, *read_only;
	uint64_t h = SUM_START;
	int fd;

	scratch_file(path, sizeof(path));
	append = fopen(path, "a+");
	read_only = fopen(path, "r");
	fd = open(path, O_RDWR);
	if (!append || !read_only || fd < 0)
		return 2;
	for (int i = 0; i < some(20); i++) {
		fprintf(append, "record %d %s\n", i,
			i % 3 ? "short" : "a longer record, with more");
		if (i % 4 == 3) {
			fflush(append);
			while (fgets(line, sizeof(line), read_only)) {
				h = mixs(h, line);
				printf("%ld %s", ftell(read_only), line);
			}
			clearerr(read_only);
		}
		if (i % 5 == 4) {
			char mark = (char)('A' + i), was;

			if (lseek(fd, i * 3, SEEK_SET) != i * 3 || read(fd, &was, 1) != 1 ||
			    lseek(fd, -1, SEEK_CUR) != i * 3 || write(fd, &mark, 1) != 1)
				printf("descriptor failed at %d\n", i);
		}
	}
	fseek(append, 0, SEEK_SET);
	while (fgets(line, sizeof(line), append))
		h = mixs(h, line);
	printf("%ld %ld\n", ftell(append), (long)lseek(fd, 0, SEEK_CUR));
	fseek(read_only, -12, SEEK_END);
	if (fgets(line, sizeof(line), read_only))
		printf("tail %s", line);
	fclose(append);
	fclose(read_only);
	close(fd);
	remove(path);
	show("records", h);
	return 0;
}
