#include "scheduler/api/bundle_check.h"

#include <errno.h>
#include <unistd.h>

#include "binaries/bundle/bundle.h"

int bundle_check(int fd, struct bundle_record *b, struct err *e)
{
	const struct bundle_manifest *m;
	struct bundle *bundle = NULL;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, -errno, "can't read the upload");
	r = bundle_open_fd(fd, "the upload", &bundle, e);
	if (r) {
		/* What it says about the file is for the client: 422. */
		if (e->code == -EINVAL || e->code == -ENOEXEC)
			e->code = -EBADMSG;
		if (!e->hint[0])
			(void)err_hint(e, "build it with drover-cc");
		return e->code;
	}
	m = bundle_manifest(bundle);
	(void)snprintf(b->name, sizeof(b->name), "%.*s", (int)sizeof(b->name) - 1, m->name);
	b->isas = 0;
	for (int isa = 0; isa < ISA_COUNT; isa++)
		if (bundle_has(bundle, (enum isa)isa))
			b->isas |= 1u << isa;
	bundle_free(bundle);
	return 0;
}
