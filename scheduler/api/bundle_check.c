#include "scheduler/api/bundle_check.h"

#include <errno.h>
#include <stdio.h>
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

/* Its functions with migration points. */
static json_t *where_it_migrates(const struct transform *t)
{
	size_t polls = 0, functions = 0;
	json_t *places = json_array();

	for (size_t i = 0; i < t->nfns; i++) {
		const struct transform_fn *f = &t->fns[i];
		size_t here = 0;

		for (size_t k = 0; k < f->nsites; k++)
			here += !strcmp(transform_kind_name(t->sites[f->first_site + k].kind),
					"poll");
		if (here && functions < PLACES_MAX)
			(void)json_array_append_new(
				places, json_pack("{s:s, s:s, s:i, s:I}", "function", f->name,
						  "file", f->source, "line", (int)f->line, "points",
						  (json_int_t)here));
		functions += here > 0;
		polls += here;
	}
	return json_pack("{s:I, s:I, s:o}", "functions", (json_int_t)functions, "points",
			 (json_int_t)polls, "places", places);
}

/* Its functions that never migrate, and why. */
static json_t *where_it_never_does(const struct transform *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->nblocked; i++) {
		const struct transform_blocked *b = &t->blocked[i];
		char reason[200];

		(void)snprintf(reason, sizeof(reason), "%s", b->reason);
		for (char *c = reason; *c; c++)
			*c = *c == '_' ? ' ' : *c;
		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:b, s:s}", "function",
							    b->name, "file", b->source, "line",
							    (int)b->line, "waits", b->waits,
							    "reason", reason));
	}
	return list;
}

/* What .state_transform says of moves; nulls when the file has none or it can't be read. */
static void describe_moves(const struct bundle *bundle, json_t *o)
{
	size_t len = 0;
	const char *text = bundle_transform(bundle, ISA_X86_64, &len);
	struct transform t;

	if (!text || transform_parse(&t, text, len, NULL)) {
		(void)json_object_set_new(o, "migrates", json_null());
		(void)json_object_set_new(o, "blocked", json_null());
		return;
	}
	(void)json_object_set_new(o, "migrates", where_it_migrates(&t));
	(void)json_object_set_new(o, "blocked", where_it_never_does(&t));
	transform_free(&t);
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
	describe_moves(bundle, o);
	bundle_free(bundle);
	return 0;
}
