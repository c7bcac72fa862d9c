#include "binaries/driver/linker_options.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/compiler.h"

enum form {
	ALONE,
	JOINED, /* the rest of the word is its value */
	VALUE   /* the value follows '=' or is the next word */
};

struct word {
	const char *name; /* without the one or two dashes before it */
	enum form form;
	enum linker_effect effect;
};

static const struct word words[] = {
	/* what the aligned link does of itself */
	{"gc-sections", ALONE, LINKER_NONE},
	{"no-gc-sections", ALONE, LINKER_NONE},
	{"print-gc-sections", ALONE, LINKER_NONE},
	{"build-id", JOINED, LINKER_NONE},
	{"O", JOINED, LINKER_NONE},
	{"sort-common", JOINED, LINKER_NONE},
	{"sort-section", VALUE, LINKER_NONE},
	{"relax", ALONE, LINKER_NONE},
	{"no-relax", ALONE, LINKER_NONE},
	/* archives are searched until nothing more is found, in any order */
	{"start-group", ALONE, LINKER_NONE},
	{"end-group", ALONE, LINKER_NONE},
	{"(", ALONE, LINKER_NONE},
	{")", ALONE, LINKER_NONE},
	{"whole-archive", ALONE, LINKER_MARK},
	{"no-whole-archive", ALONE, LINKER_MARK},
	{"undefined", VALUE, LINKER_SYMBOL},
	{"u", VALUE, LINKER_SYMBOL},
	/* loading at run time: every library is in the program */
	{"as-needed", ALONE, LINKER_NONE},
	{"no-as-needed", ALONE, LINKER_NONE},
	{"Bstatic", ALONE, LINKER_NONE},
	{"Bdynamic", ALONE, LINKER_NONE},
	{"Bsymbolic", JOINED, LINKER_NONE},
	{"export-dynamic", JOINED, LINKER_NONE},
	{"E", ALONE, LINKER_NONE},
	{"dynamic-list", JOINED, LINKER_NONE},
	{"version-script", VALUE, LINKER_NONE},
	{"exclude-libs", VALUE, LINKER_NONE},
	{"rpath", VALUE, LINKER_NONE},
	{"rpath-link", VALUE, LINKER_NONE},
	{"soname", VALUE, LINKER_NONE},
	{"h", VALUE, LINKER_NONE},
	{"dynamic-linker", VALUE, LINKER_NONE},
	{"hash-style", VALUE, LINKER_NONE},
	{"enable-new-dtags", ALONE, LINKER_NONE},
	{"disable-new-dtags", ALONE, LINKER_NONE},
	{"copy-dt-needed-entries", ALONE, LINKER_NONE},
	{"no-copy-dt-needed-entries", ALONE, LINKER_NONE},
	{"allow-shlib-undefined", ALONE, LINKER_NONE},
	{"no-allow-shlib-undefined", ALONE, LINKER_NONE},
	{"no-undefined", ALONE, LINKER_NONE},
	{"z", VALUE, LINKER_NONE},
	{"pie", ALONE, LINKER_NONE},
	{"no-pie", ALONE, LINKER_NONE},
	/* what it says about its work */
	{"Map", VALUE, LINKER_NONE},
	{"cref", ALONE, LINKER_NONE},
	{"warn-common", ALONE, LINKER_NONE},
	{"fatal-warnings", ALONE, LINKER_NONE},
	{"no-fatal-warnings", ALONE, LINKER_NONE},
	{"no-warnings", ALONE, LINKER_NONE},
	{"version", ALONE, LINKER_VERSION},
	{"v", ALONE, LINKER_VERSION},
	{"s", ALONE, LINKER_PASS},
	{"strip-all", ALONE, LINKER_PASS},
	{"S", ALONE, LINKER_PASS},
	{"strip-debug", ALONE, LINKER_PASS},
	{"x", ALONE, LINKER_PASS},
};

/* Values of -z that would change what the link makes. */
static const char *const z_refused[] = {"execstack", "stack-size=", "wxneeded",
					"max-page-size=", "common-page-size="};

static const struct word *find(const char *text, const char **value)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const struct word *w = &words[i];
		size_t n = strlen(w->name);

		if (strncmp(text, w->name, n) != 0)
			continue;
		*value = text + n;
		if (!text[n] || (w->form == JOINED && (n > 1 || strlen(text) == 2)))
			return w;
		if (w->form == VALUE && (text[n] == '=' || !strcmp(w->name, "z"))) {
			*value += text[n] == '=';
			return w;
		}
	}
	return NULL;
}

static int refuse(const char *word, struct err *err)
{
	err_set(err, -ENOTSUP, "linker option '%s' is not supported", word);
	return err_hint(err, "the aligned link makes its own layout");
}

static int use(const struct word *w, const char *text, const char *given, struct err *err)
{
	if (strcmp(w->name, "z") != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(z_refused); i++)
		if (!strncmp(text, z_refused[i], strlen(z_refused[i])))
			return refuse(given, err);
	return 0;
}

int linker_word(struct linker_words *state, const char *word, enum linker_effect *effect,
		const char **value, struct err *err)
{
	const struct word *w = state->pending;

	*effect = LINKER_NONE;
	*value = word;
	if (w) {
		state->pending = NULL;
		*effect = w->effect;
		return use(w, word, word, err);
	}
	w = word[0] == '-' ? find(word + 1 + (word[1] == '-'), value) : NULL;
	if (!w)
		return refuse(word, err);
	if (w->form == VALUE && !**value) {
		state->pending = w;
		return 0;
	}
	*effect = w->effect;
	return use(w, *value, word, err);
}
