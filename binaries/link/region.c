/* What the name of an input section says, and the list of data that stays home. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/link/layout.h"
#include "common/compiler.h"

static const struct {
	const char *prefix;
	enum region region;
} prefixes[] = {
	{".text.d.", REGION_TEXT},         {".text.cold.", REGION_COLD},
	{".rodata.d.", REGION_RODATA},     {".data.d.", REGION_DATA},
	{".data.rel.ro.d.", REGION_RELRO}, {".bss.d.", REGION_BSS},
	{"drover_fns", REGION_FNS},
};

enum region region_of(const char *section)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(section, prefixes[i].prefix, strlen(prefixes[i].prefix)))
			return prefixes[i].region;
	return REGION_PRIVATE;
}

const char *region_symbol(const char *section)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t n = strlen(prefixes[i].prefix);

		if (!strncmp(section, prefixes[i].prefix, n) && section[n])
			return section + n;
	}
	return section;
}

int home_parse(struct home *h, const char *text, struct err *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *line, *save = NULL;
	size_t n = 0;

	*h = (struct home){0};
	if (!copy)
		return err_set(err, -ENOMEM, "home list: out of memory");
	/* strsep, not strtok: empty lines count. */
	for (save = copy; (line = strsep(&save, "\n"));) {
		char *member, *symbol, *word = NULL;

		n++;
		line[strcspn(line, "#")] = '\0';
		member = strtok_r(line, " \t", &word);
		if (!member)
			continue;
		symbol = strtok_r(NULL, " \t", &word);
		if (!symbol || strtok_r(NULL, " \t", &word)) {
			home_free(h);
			return err_set(err, -EINVAL, "home list: line %zu is not \"MEMBER SYMBOL\"",
				       n);
		}
		strv_add(&h->members, member);
		strv_add(&h->symbols, symbol);
	}
	if (strv_failed(&h->members) || strv_failed(&h->symbols)) {
		home_free(h);
		return err_set(err, -ENOMEM, "home list: out of memory");
	}
	return 0;
}

void home_free(struct home *h)
{
	strv_free(&h->members);
	strv_free(&h->symbols);
}

/* Members are compared without their suffix: libc.lo and libc.o are the same. */
static bool same_member(const char *want, const char *member)
{
	size_t n = strcspn(member, ".");

	return !strcmp(want, "*") || (strcspn(want, ".") == n && !strncmp(want, member, n));
}

bool home_has(const struct home *h, const struct map *m, const struct map_section *s)
{
	for (size_t i = 0; s->member && i < h->members.n; i++) {
		if (!same_member(h->members.v[i], s->member))
			continue;
		for (size_t k = 0; k < s->nsymbols; k++)
			if (!strcmp(h->symbols.v[i], m->symbols[s->first_symbol + k].name))
				return true;
	}
	return false;
}

const char *section_file(const struct map_section *s, char *buf, size_t size)
{
	const char *base = strrchr(s->file, '/');

	base = base ? base + 1 : s->file;
	if (s->member)
		snprintf(buf, size, "%s(%s)", base, s->member);
	else
		snprintf(buf, size, "%s", base);
	return buf;
}
