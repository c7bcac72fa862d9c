/* The manifest of a bundle: JSON in, JSON out. */
#include "binaries/bundle/manifest.h"

#include <errno.h>
#include <string.h>

#include "common/compiler.h"
#include "common/json.h"

static json_t *hex(const uint8_t d[DIGEST_SIZE])
{
	char text[DIGEST_HEX_SIZE];

	digest_hex(d, text);
	return json_string(text);
}

char *bundle_manifest_text(const struct bundle_manifest *m)
{
	_cleanup_json_ json_t *isas = json_array(), *root = NULL;

	for (int i = 0; i < ISA_COUNT; i++) {
		json_t *h;

		if (!m->half[i].present)
			continue;
		h = i == ISA_X86_64 ? json_pack("{ss}", "isa", isa_name((enum isa)i))
				    : json_pack("{ss,sI,so}", "isa", isa_name((enum isa)i), "size",
						(json_int_t)m->half[i].size, "sha256",
						hex(m->half[i].sha256));
		if (!h || json_array_append_new(isas, h) < 0)
			return NULL;
	}
	root = json_pack("{si,ss,ss,so,sO,s{sI,sI},s{sI,sI},s{sI,sI}}", "version", BUNDLE_VERSION,
			 "name", m->name, "made_by", m->made_by, "build_id", hex(m->build_id),
			 "isas", isas, "data", "start", (json_int_t)m->data_start, "end",
			 (json_int_t)m->data_end, "text", "start", (json_int_t)m->text_start, "end",
			 (json_int_t)m->text_end, "symbols", "aligned", (json_int_t)m->shared,
			 "apart", (json_int_t)m->differing);
	return root ? json_dumps(root, JSON_COMPACT) : NULL;
}

static void get_digest(struct json_fields *f, const char *key, uint8_t out[DIGEST_SIZE])
{
	char text[DIGEST_HEX_SIZE] = "";

	json_get_str(f, key, JSON_REQUIRED, text, sizeof text);
	if (!f->code && digest_parse(text, out) < 0)
		json_fail(f, key, "must be a SHA-256 in hex");
}

static int parse_half(struct bundle_manifest *m, const json_t *v, struct err *e)
{
	static const char *const names[] = {"x86_64", "aarch64", NULL};
	struct json_fields f;
	int isa = 0;

	json_fields_init(&f, v, "manifest.isas[]", e);
	json_get_enum(&f, "isa", JSON_REQUIRED, names, &isa);
	if (!f.code && m->half[isa].present)
		json_fail(&f, "isa", "is named twice");
	if (!f.code && isa != ISA_X86_64) {
		json_get_u64(&f, "size", JSON_REQUIRED, 1, BUNDLE_FILE_MAX, &m->half[isa].size);
		get_digest(&f, "sha256", m->half[isa].sha256);
	}
	if (!f.code)
		m->half[isa].present = true;
	return json_fields_end(&f);
}

static void get_range(struct json_fields *f, const char *key, const char *lo, const char *hi,
		      uint64_t *start, uint64_t *end)
{
	const json_t *v = NULL;
	struct json_fields g;

	json_get_obj(f, key, JSON_REQUIRED, &v);
	if (f->code)
		return;
	json_fields_init(&g, v, key, f->e);
	json_get_u64(&g, lo, JSON_REQUIRED, 0, INT64_MAX, start);
	json_get_u64(&g, hi, JSON_REQUIRED, 0, INT64_MAX, end);
	f->code = json_fields_end(&g);
}

int manifest_parse(struct bundle_manifest *m, const char *text, size_t len, struct err *e)
{
	_cleanup_json_ json_t *root = NULL;
	const json_t *isas = NULL;
	struct json_fields f;
	uint64_t version = 0;
	int r = json_parse(text, len, MANIFEST_MAX, "manifest", &root, e);

	*m = (struct bundle_manifest){.name = ""};
	if (r < 0)
		return r;
	json_fields_init(&f, root, "manifest", e);
	json_get_u64(&f, "version", JSON_REQUIRED, 1, UINT32_MAX, &version);
	if (!f.code && version != BUNDLE_VERSION)
		json_fail(&f, "version", "is %u; this program reads version %u", (unsigned)version,
			  BUNDLE_VERSION);
	json_get_str(&f, "name", JSON_REQUIRED, m->name, sizeof m->name);
	json_get_str(&f, "made_by", JSON_REQUIRED, m->made_by, sizeof m->made_by);
	if (!f.code)
		get_digest(&f, "build_id", m->build_id);
	get_range(&f, "data", "start", "end", &m->data_start, &m->data_end);
	get_range(&f, "text", "start", "end", &m->text_start, &m->text_end);
	get_range(&f, "symbols", "aligned", "apart", &m->shared, &m->differing);
	if (!f.code && (m->data_start > m->data_end || m->text_start > m->text_end))
		json_fail(&f, "data", "ends before it starts");
	json_get_arr(&f, "isas", JSON_REQUIRED, ISA_COUNT, &isas);
	for (size_t i = 0; !f.code && i < json_array_size(isas); i++)
		f.code = parse_half(m, json_array_get(isas, i), e);
	return json_fields_end(&f);
}
