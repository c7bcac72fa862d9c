/* A bundle or an object as text for people. */
#include "binaries/objinfo/text.h"

#include <stdio.h>
#include <string.h>

#include "migrator/include/abi.h"

/* In the order of enum drover_ret. */
static const char *const returns[] = {"void",   "int",  "i64",  "ptr",  "float",
				      "double", "f128", "i128", "other"};

static void show_sites(const struct transform *t, const struct transform_fn *f)
{
	if (f->common)
		printf("    %llu bytes on the common stack\n", (unsigned long long)f->common);
	for (size_t i = 0; i < f->nsites; i++) {
		const struct transform_site *s = &t->sites[f->first_site + i];

		printf("    site %zu: %s", i, transform_kind_name(s->kind));
		if (s->kind == DROVER_SITE_CALL)
			printf(" of %s", s->callee);
		printf(", line %u, saves %u bytes\n", s->line, s->size);
		for (size_t k = 0; k < s->nvalues; k++) {
			const struct transform_value *v = &t->values[s->first_value + k];

			printf("      %5u  %-10s %6u  %s\n", v->offset, v->type, v->size, v->name);
		}
	}
}

static void show_functions(const struct transform *t, const struct view *view)
{
	printf("\nFUNCTION                         SITES  RETURNS  AT\n");
	for (size_t i = 0; i < t->nfns; i++) {
		const struct transform_fn *f = &t->fns[i];

		printf("%-32s %5zu  %-7s  %s:%u\n", f->name, f->nsites, returns[f->ret], f->source,
		       f->line);
		if (view->sites)
			show_sites(t, f);
	}
}

/* The reason of a summary or table, whose blanks are underscores. */
static void show_reason(const char *reason)
{
	for (; *reason; reason++)
		putchar(*reason == '_' ? ' ' : *reason);
}

static void show_blocked(const struct transform *t)
{
	if (t->nblocked)
		printf("\nNEVER MIGRATES                   MIGRATION  WHY, WHERE\n");
	else
		printf("\nno function is kept from migrating\n");
	for (size_t i = 0; i < t->nblocked; i++) {
		const struct transform_blocked *b = &t->blocked[i];

		printf("%-32s %-9s  ", b->name, b->waits ? "waits" : "goes on");
		show_reason(b->reason);
		printf(", %s:%u\n", b->source, b->line);
	}
}

static void show_symbols(const struct symbols *s)
{
	printf("\n%-18s %-18s SYMBOL\n", "X86-64", "AARCH64");
	for (size_t i = 0; i < s->n; i++) {
		for (int isa = 0; isa < ISA_COUNT; isa++) {
			if (s->v[i].addr[isa])
				printf("0x%016llx ", (unsigned long long)s->v[i].addr[isa]);
			else
				printf("%-18s ", "-");
		}
		printf("%s%s\n", s->v[i].name,
		       s->v[i].addr[0] && s->v[i].addr[1] && s->v[i].addr[0] != s->v[i].addr[1]
			       ? "  (apart)"
			       : "");
	}
}

static void show_half(const struct bundle *b, enum isa isa)
{
	const struct bundle_half *h = &bundle_manifest(b)->half[isa];
	char hex[DIGEST_HEX_SIZE];
	size_t len;

	if (!bundle_half_data(b, isa, &len))
		return;
	if (isa == ISA_X86_64) {
		printf("  %-10s the file itself\n", isa_name(isa));
		return;
	}
	digest_hex(h->sha256, hex);
	printf("  %-10s %zu bytes, sha256 %s\n", isa_name(isa), len, hex);
}

void text_bundle(const char *path, const struct bundle *b, const struct transform *t,
		 const struct symbols *s, const struct view *view)
{
	const struct bundle_manifest *m = bundle_manifest(b);
	uint8_t digest[DIGEST_SIZE];
	char hex[DIGEST_HEX_SIZE];
	size_t calls = 0, polls = 0;

	for (size_t i = 0; i < t->nsites; i++)
		t->sites[i].kind == DROVER_SITE_POLL ? polls++ : calls++;
	bundle_digest(b, digest);
	digest_hex(digest, hex);
	printf("%s: bundle \"%s\", made by %s\n", path, m->name, m->made_by);
	printf("hash       %s\n", hex);
	digest_hex(m->build_id, hex);
	printf("build id   %s\n", hex);
	printf("halves\n");
	for (int isa = 0; isa < ISA_COUNT; isa++)
		show_half(b, (enum isa)isa);
	if (s->n)
		printf("symbols    %zu of %zu that both halves have are at one address\n",
		       s->aligned, s->both);
	else
		printf("symbols    stripped; %llu were at one address when it was linked\n",
		       (unsigned long long)m->shared);
	printf("moves      data 0x%llx-0x%llx\n", (unsigned long long)m->data_start,
	       (unsigned long long)m->data_end);
	printf("migrates   %zu functions, %zu sites (%zu polls, %zu calls), %zu values\n", t->nfns,
	       t->nsites, polls, calls, t->nvalues);
	if (view->functions || view->sites)
		show_functions(t, view);
	if (view->blocked)
		show_blocked(t);
	if (view->symbols)
		show_symbols(s);
}

void text_object(const char *name, const struct object *o, const struct view *view)
{
	const struct summary *s = &o->summary;
	size_t polls = 0, never = 0;

	for (size_t i = 0; i < s->nfns; i++) {
		polls += s->fns[i].polls;
		never += s->fns[i].never != NULL;
	}
	printf("%s: multi-ISA object of %s\n", name, o->source);
	for (int isa = 0; isa < ISA_COUNT; isa++)
		printf("  %-10s %zu bytes of bitcode\n", isa_name((enum isa)isa),
		       o->bitcode[isa].len);
	printf("options   ");
	for (size_t i = 0; i < o->options.n; i++)
		printf(" %s", o->options.v[i]);
	printf("\nfunctions  %zu, %zu with polls, %zu never migrate\n", s->nfns, polls, never);
	if (view->functions || view->sites)
		for (size_t i = 0; i < s->nfns; i++)
			printf("  %-32s %s line %u%s%s%s\n", s->fns[i].name,
			       s->fns[i].local ? "local " : "global", s->fns[i].line,
			       s->fns[i].polls ? ", polls" : "",
			       s->fns[i].never ? ", never migrates: " : "",
			       s->fns[i].never ? s->fns[i].never : "");
	for (size_t i = 0; i < s->nfns && view->blocked; i++) {
		if (!s->fns[i].never)
			continue;
		printf("  %-32s line %u, never migrates: ", s->fns[i].name, s->fns[i].line);
		show_reason(s->fns[i].never);
		putchar('\n');
	}
	if (view->symbols)
		for (size_t i = 0; i < s->nsymbols; i++)
			printf("  %c %s %llu\n", s->symbols[i].kind, s->symbols[i].name,
			       (unsigned long long)s->symbols[i].size);
}
