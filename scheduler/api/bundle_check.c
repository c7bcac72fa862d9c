#include "scheduler/api/bundle_check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "binaries/bundle/bundle.h"
#include "binaries/bundle/transform.h"
#include "common/digest.h"

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

#define PLACES_MAX 200 /* functions that are named; all are counted */

/* Where the program can be moved: its functions with migration points, after .state_transform. NULL
 * when the file has none or they can't be read. */
static json_t *where_it_migrates(const struct bundle *bundle)
{
	size_t len = 0, polls = 0, functions = 0;
	const char *text = bundle_transform(bundle, ISA_X86_64, &len);
	json_t *places = json_array();
	struct transform t;

	if (!text || transform_parse(&t, text, len, NULL)) {
		json_decref(places);
		return json_null();
	}
	for (size_t i = 0; i < t.nfns; i++) {
		const struct transform_fn *f = &t.fns[i];
		size_t here = 0;

		for (size_t k = 0; k < f->nsites; k++)
			here += !strcmp(transform_kind_name(t.sites[f->first_site + k].kind),
					"poll");
		if (here && functions < PLACES_MAX)
			(void)json_array_append_new(
				places, json_pack("{s:s, s:s, s:i, s:I}", "function", f->name,
						  "file", f->source, "line", (int)f->line, "points",
						  (json_int_t)here));
		functions += here > 0;
		polls += here;
	}
	transform_free(&t);
	return json_pack("{s:I, s:I, s:o}", "functions", (json_int_t)functions, "points",
			 (json_int_t)polls, "places", places);
}

int bundle_describe(int fd, json_t *o, struct err *e)
{
	json_t *halves = json_array();
	const struct bundle_manifest *m;
	struct bundle *bundle = NULL;
	char hex[DIGEST_HEX_SIZE];
	int r = bundle_open_fd(fd, "the bundle", &bundle, e);

	if (r) {
		json_decref(halves);
		return r;
	}
	m = bundle_manifest(bundle);
	for (int isa = 0; isa < ISA_COUNT; isa++)
		if (bundle_has(bundle, (enum isa)isa))
			(void)json_array_append_new(
				halves, json_pack("{s:s, s:I}", "isa", isa_name((enum isa)isa),
						  "size", (json_int_t)m->half[isa].size));
	digest_hex(m->build_id, hex);
	(void)json_object_set_new(o, "made_by", json_string(m->made_by));
	(void)json_object_set_new(o, "build_id", json_string(hex));
	(void)json_object_set_new(o, "halves", halves);
	(void)json_object_set_new(o, "migrates", where_it_migrates(bundle));
	/* Which functions never migrate is known when a bundle is built; the file doesn't carry it.
	 */
	(void)json_object_set_new(o, "blocked", json_null());
	bundle_free(bundle);
	return 0;
}
