/*
 * What must hold of an aligned link, checked on the maps.  A refusal names the
 * symbol and the source file it comes from.
 */
#include "binaries/link/verify.h"

#include <errno.h>
#include <string.h>

#include "binaries/object/strmap.h"
#include "common/compiler.h"

#define NAME_SIZE 512

/* Whether a section comes from a module of the program, and which; else -1. */
static long module_of(const struct link_job *job, int isa, const struct map_section *s)
{
	const struct strv *o = &job->half[isa].objects;

	/* The first object is the start-up code, the sources' list has an empty name for it. */
	for (size_t i = 0; !s->member && i < o->n && i < job->sources.n; i++)
		if (job->sources.v[i][0] && !strcmp(o->v[i], s->file))
			return (long)i;
	return -1;
}

/* The file to name in a message. */
static const char *origin(const struct link_job *job, int isa, const struct map_section *s,
			  char *buf)
{
	long m = module_of(job, isa, s);

	return m >= 0 ? job->sources.v[m] : section_file(s, buf, NAME_SIZE);
}

static const char *isa_title(int isa)
{
	return isa == ISA_X86_64 ? "x86-64" : "AArch64";
}

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* Sections of a module that may differ between the ISAs: code, unwind tables (.data.DW.ref is how
   they name the personality), constant pools. */
static bool may_be_private(const char *name)
{
	static const char *const known[] = {
		".text",       ".rodata",   ".eh_frame",    ".gcc_except", ".init_array",
		".fini_array", ".preinit_", ".debug",       ".comment",    ".note",
		".state_",     ".llvm",     ".data.DW.ref."};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (starts(name, known[i]))
			return true;
	return false;
}

static int check_private(const struct map *m, int isa, const struct link_job *job, struct err *err)
{
	char buf[NAME_SIZE];

	for (size_t i = 0; i < m->nsections; i++) {
		const struct map_section *s = &m->sections[i];

		if (!s->size || region_of(s->name) != REGION_PRIVATE || s->file[0] == '<')
			continue;
		if (starts(s->name, ".tdata") || starts(s->name, ".tbss")) {
			err_set(err, -ENOTSUP, "%s: thread-local data in section %s",
				origin(job, isa, s, buf), s->name);
			return err_hint(err,
					"compile it with drover-cc, which emulates _Thread_local");
		}
		if (module_of(job, isa, s) < 0 || may_be_private(s->name))
			continue;
		err_set(err, -ENOTSUP,
			"%s: section %s holds data without a name that both ISAs share",
			origin(job, isa, s, buf), s->name);
		return err_hint(err, "take __attribute__((section)) off the data in it");
	}
	return 0;
}

/* Whether a datum is a static variable that the source has for one ISA only: its bytes pass through
 * the other. */
static bool one_sided(const struct link_job *job, const char *symbol)
{
	for (size_t i = 0; i < job->apart.n; i++)
		if (!strcmp(symbol, job->apart.v[i]))
			return true;
	return false;
}

int verify_layout(const struct layout *l, const struct map maps[ISA_COUNT],
		  const struct link_job *job, struct err *err)
{
	char buf[NAME_SIZE];
	int r;

	for (int isa = 0; isa < ISA_COUNT; isa++) {
		r = check_private(&maps[isa], isa, job, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < l->n; i++) {
		const struct slot *s = &l->slots[i];
		int isa = s->sec[ISA_X86_64] ? ISA_X86_64 : ISA_AARCH64;

		if (s->region != REGION_DATA && s->region != REGION_BSS && s->region != REGION_FNS)
			continue;
		if (!s->sec[!isa] && s->region != REGION_FNS &&
		    one_sided(job, region_symbol(s->name)))
			continue;
		if (!s->sec[!isa])
			return err_set(err, -EILSEQ,
				       "%s: '%s' exists for %s only, so its value could not move",
				       origin(job, isa, s->sec[isa], buf), region_symbol(s->name),
				       isa_title(isa));
		if (s->sec[0]->size != s->sec[1]->size) {
			err_set(err, -EILSEQ,
				"%s: '%s' has %llu bytes on x86-64 and %llu on AArch64",
				origin(job, isa, s->sec[isa], buf), region_symbol(s->name),
				(unsigned long long)s->sec[ISA_X86_64]->size,
				(unsigned long long)s->sec[ISA_AARCH64]->size);
			return err_hint(err, "its type must have one layout on both ISAs");
		}
	}
	return 0;
}

/* The sections of a final map by file, name and order are those of the layout; check where they
 * are. */
static int check_placed(const struct map *m, int isa, const struct layout *l,
			const struct link_job *job, struct err *err)
{
	struct strmap at = {0};
	char buf[NAME_SIZE];
	int r = 0;

	for (size_t i = 0; i < l->n && !r; i++)
		if (l->slots[i].by_name && strmap_put(&at, l->slots[i].name, i) == STRMAP_NONE)
			r = err_set(err, -ENOMEM, "aligned link: out of memory");
	for (size_t i = 0; i < m->nsections && !r; i++) {
		const struct map_section *s = &m->sections[i];
		size_t k = strmap_get(&at, s->name);

		if (k != STRMAP_NONE && l->slots[k].sec[isa] &&
		    (s->addr != l->slots[k].addr || s->size > l->slots[k].size))
			r = err_set(err, -EILSEQ,
				    "%s: '%s' is at 0x%llx on %s, not in its slot at 0x%llx",
				    origin(job, isa, s, buf), region_symbol(s->name),
				    (unsigned long long)s->addr, isa_title(isa),
				    (unsigned long long)l->slots[k].addr);
	}
	strmap_free(&at);
	return r;
}

/* Names made for one function only: labels of the assembler, and clones the optimiser makes. */
static bool comparable(const char *name)
{
	return name[0] != '$' && name[0] != '.';
}

int verify_addresses(const struct map maps[ISA_COUNT], const struct layout *l,
		     const struct link_job *job, struct link_stats *stats, struct err *err)
{
	const struct map *mx = &maps[ISA_X86_64], *ma = &maps[ISA_AARCH64];
	struct strmap arm = {0};
	char buf[NAME_SIZE];
	int r = 0;

	for (int isa = 0; isa < ISA_COUNT && !r; isa++)
		r = check_placed(&maps[isa], isa, l, job, err);
	for (size_t i = 0; i < ma->nsymbols && !r; i++)
		if (comparable(ma->symbols[i].name) &&
		    strmap_put(&arm, ma->symbols[i].name, i) == STRMAP_NONE)
			r = err_set(err, -ENOMEM, "aligned link: out of memory");
	for (size_t i = 0; i < mx->nsymbols && !r; i++) {
		const struct map_symbol *x = &mx->symbols[i], *a;
		size_t k = comparable(x->name) ? strmap_get(&arm, x->name) : STRMAP_NONE;
		const struct map_section *sx = &mx->sections[x->section], *sa;

		if (k == STRMAP_NONE)
			continue;
		a = &ma->symbols[k];
		sa = &ma->sections[a->section];
		if (sx->addr + x->offset == sa->addr + a->offset)
			stats->shared++;
		else if (region_of(sx->name) == REGION_PRIVATE ||
			 region_of(sa->name) == REGION_PRIVATE || strcmp(sx->name, sa->name) != 0)
			stats->differing++;
		else
			r = err_set(err, -EILSEQ,
				    "%s: '%s' is at 0x%llx on x86-64 and at 0x%llx on AArch64",
				    origin(job, ISA_X86_64, sx, buf), x->name,
				    (unsigned long long)(sx->addr + x->offset),
				    (unsigned long long)(sa->addr + a->offset));
	}
	strmap_free(&arm);
	return r;
}
