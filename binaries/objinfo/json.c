/* A bundle or an object as JSON for programs. */
#include "binaries/objinfo/json.h"

#include <errno.h>
#include <stdio.h>

#include "common/json.h"
#include "migrator/include/abi.h"

static const char *const returns[] = {"void",   "int",  "i64",  "ptr",  "float",
				      "double", "f128", "i128", "other"};

static json_t *hex(const uint8_t d[DIGEST_SIZE])
{
	char text[DIGEST_HEX_SIZE];

	digest_hex(d, text);
	return json_string(text);
}

static json_t *values(const struct transform *t, const struct transform_site *s)
{
	json_t *a = json_array();

	for (size_t i = 0; i < s->nvalues; i++) {
		const struct transform_value *v = &t->values[s->first_value + i];

		json_array_append_new(a, json_pack("{sI,sI,ss,ss}", "offset", (json_int_t)v->offset,
						   "size", (json_int_t)v->size, "type", v->type,
						   "name", v->name));
	}
	return a;
}

static json_t *sites(const struct transform *t, const struct transform_fn *f)
{
	json_t *a = json_array();

	for (size_t i = 0; i < f->nsites; i++) {
		const struct transform_site *s = &t->sites[f->first_site + i];
		json_t *o = json_pack("{ss,sI,sI,so}", "kind", transform_kind_name(s->kind), "line",
				      (json_int_t)s->line, "bytes", (json_int_t)s->size, "values",
				      values(t, s));

		if (s->kind == DROVER_SITE_CALL)
			json_object_set_new(o, "callee", json_string(s->callee));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *functions(const struct transform *t, const struct view *view)
{
	json_t *a = json_array();

	for (size_t i = 0; i < t->nfns; i++) {
		const struct transform_fn *f = &t->fns[i];
		char id[17];
		json_t *o;

		snprintf(id, sizeof id, "%016llx", (unsigned long long)f->id);
		o = json_pack("{ss,ss,ss,sI,ss,sI,sI}", "id", id, "name", f->name, "source",
			      f->source, "line", (json_int_t)f->line, "returns", returns[f->ret],
			      "common_stack_bytes", (json_int_t)f->common, "site_count",
			      (json_int_t)f->nsites);
		if (view->sites)
			json_object_set_new(o, "sites", sites(t, f));
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *reason(const char *text)
{
	char plain[200];
	size_t n = 0;

	for (; text[n] && n < sizeof plain - 1; n++)
		plain[n] = (char)(text[n] == '_' ? ' ' : text[n]);
	plain[n] = '\0';
	return json_string(plain);
}

static json_t *blocked(const struct transform *t)
{
	json_t *a = json_array();

	for (size_t i = 0; i < t->nblocked; i++) {
		const struct transform_blocked *b = &t->blocked[i];

		json_array_append_new(a, json_pack("{ss,ss,sI,sb,so}", "name", b->name, "source",
						   b->source, "line", (json_int_t)b->line,
						   "migration_waits", b->waits, "reason",
						   reason(b->reason)));
	}
	return a;
}

static json_t *symbol_list(const struct symbols *s)
{
	json_t *a = json_array();

	for (size_t i = 0; i < s->n; i++) {
		json_t *o = json_pack("{ss}", "name", s->v[i].name);

		for (int isa = 0; isa < ISA_COUNT; isa++)
			if (s->v[i].addr[isa])
				json_object_set_new(o, isa_name((enum isa)isa),
						    json_integer((json_int_t)s->v[i].addr[isa]));
		json_array_append_new(a, o);
	}
	return a;
}

static int print(json_t *root)
{
	int r = root && json_dumpf(root, stdout, JSON_INDENT(2)) == 0 ? 0 : -ENOMEM;

	json_decref(root);
	putchar('\n');
	return r;
}

int json_bundle(const char *path, const struct bundle *b, const struct transform *t,
		const struct symbols *s, const struct view *view)
{
	const struct bundle_manifest *m = bundle_manifest(b);
	uint8_t digest[DIGEST_SIZE];
	json_t *isas = json_array(), *root;

	bundle_digest(b, digest);
	for (int isa = 0; isa < ISA_COUNT; isa++)
		if (bundle_has(b, (enum isa)isa))
			json_array_append_new(isas, json_string(isa_name((enum isa)isa)));
	root = json_pack("{ss,ss,ss,ss,so,so,so,s{sI,sI},s{sI,sI},s{sI,sI,sI,sI}}", "file", path,
			 "kind", "bundle", "name", m->name, "made_by", m->made_by, "sha256",
			 hex(digest), "build_id", hex(m->build_id), "isas", isas, "data", "start",
			 (json_int_t)m->data_start, "end", (json_int_t)m->data_end, "symbols",
			 "both", (json_int_t)s->both, "aligned", (json_int_t)s->aligned, "migrates",
			 "functions", (json_int_t)t->nfns, "sites", (json_int_t)t->nsites, "values",
			 (json_int_t)t->nvalues, "text_bytes",
			 (json_int_t)(m->text_end - m->text_start));
	if (root && (view->functions || view->sites))
		json_object_set_new(root, "functions", functions(t, view));
	if (root && view->blocked)
		json_object_set_new(root, "blocked", blocked(t));
	if (root && view->symbols)
		json_object_set_new(root, "symbol_list", symbol_list(s));
	return print(root);
}

int json_object_file(const char *name, const struct object *o, const struct view *view)
{
	const struct summary *s = &o->summary;
	json_t *options = json_array(), *fns = json_array(), *syms = json_array(), *root;

	for (size_t i = 0; i < o->options.n; i++)
		json_array_append_new(options, json_string(o->options.v[i]));
	for (size_t i = 0; i < s->nfns && (view->functions || view->sites); i++)
		json_array_append_new(
			fns, json_pack("{ss,sb,sI,sb,ss?}", "name", s->fns[i].name, "local",
				       s->fns[i].local, "line", (json_int_t)s->fns[i].line, "polls",
				       s->fns[i].polls, "never_migrates", s->fns[i].never));
	for (size_t i = 0; i < s->nsymbols && view->symbols; i++) {
		const char kind[2] = {s->symbols[i].kind, '\0'};

		json_array_append_new(syms,
				      json_pack("{ss,ss,sI}", "name", s->symbols[i].name, "kind",
						kind, "size", (json_int_t)s->symbols[i].size));
	}
	root = json_pack("{ss,ss,ss,so,sI}", "file", name, "kind", "object", "source", o->source,
			 "options", options, "function_count", (json_int_t)s->nfns);
	if (root && json_array_size(fns))
		json_object_set(root, "functions", fns);
	if (root && json_array_size(syms))
		json_object_set(root, "symbol_list", syms);
	json_decref(fns);
	json_decref(syms);
	return print(root);
}
