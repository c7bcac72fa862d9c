#include "scheduler/api/bundle_check.h"

#include <errno.h>
#include <string.h>

#include "common/file.h"

int bundle_check(int fd, struct bundle_record *b, struct err *e)
{
	char ident[16];

	if (b->size < sizeof(ident) || file_pread_all(fd, ident, sizeof(ident), 0) ||
	    memcmp(ident, "\177ELF", 4)) {
		err_set(e, -EBADMSG, "this is not a bundle");
		return err_hint(e, "build one with drover-cc");
	}
	(void)snprintf(b->name, sizeof(b->name), "bundle");
	b->isas = (1u << ISA_COUNT) - 1;
	return 0;
}
