#include "binaries/driver/warnings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/compiler.h"

static const char *const names[WARN_GROUPS] = {
	[WARN_NEVER_MIGRATES] = "never-migrates",
	[WARN_UNSUPPORTED] = "unsupported",
	[WARN_WAITS] = "waits",
	[WARN_FAST_MATH] = "fast-math",
	[WARN_DLOPEN] = "dlopen",
	[WARN_IGNORED] = "ignored",
};

void warnings_init(struct warnings *w)
{
	*w = (struct warnings){.level = {[WARN_NEVER_MIGRATES] = WARN_ON,
					 [WARN_UNSUPPORTED] = WARN_ERROR,
					 [WARN_WAITS] = WARN_OFF,
					 [WARN_FAST_MATH] = WARN_ON,
					 [WARN_DLOPEN] = WARN_ON,
					 [WARN_IGNORED] = WARN_ON}};
}

enum change { TURN_ON, TURN_OFF, TURN_ERROR, TURN_KEPT };

static void change(struct warnings *w, enum warn_group g, enum change c)
{
	if (g == WARN_UNSUPPORTED) /* what cannot work is never only a warning */
		return;
	if (c == TURN_KEPT) {
		w->kept[g] = true;
		if (w->level[g] == WARN_ERROR)
			w->level[g] = WARN_ON;
	} else {
		w->level[g] = c == TURN_ON    ? (w->level[g] == WARN_ERROR ? WARN_ERROR : WARN_ON)
			      : c == TURN_OFF ? WARN_OFF
					      : WARN_ERROR;
	}
}

int warnings_option(struct warnings *w, const char *arg, struct err *err)
{
	static const struct {
		const char *prefix;
		enum change change;
	} forms[] = {{"-Wno-error=drover", TURN_KEPT},
		     {"-Werror=drover", TURN_ERROR},
		     {"-Wno-drover", TURN_OFF},
		     {"-Wdrover", TURN_ON}};
	const char *name = NULL;
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(forms) && !name; i++) {
		size_t n = strlen(forms[i].prefix);

		if (strncmp(arg, forms[i].prefix, n) != 0)
			continue;
		name = arg + n;
		for (int g = 0; g < WARN_GROUPS; g++) {
			if (*name && (*name != '-' || strcmp(name + 1, names[g]) != 0))
				continue;
			change(w, (enum warn_group)g, forms[i].change);
			found = true;
		}
	}
	if (found)
		return 0;
	err_set(err, -ENOENT, "unknown warning option '%s'", arg);
	return err_hint(err, "drover-cc --explain lists the groups");
}

enum warn_level warnings_level(const struct warnings *w, enum warn_group g)
{
	if (w->level[g] != WARN_ON)
		return w->level[g];
	if (w->none)
		return WARN_OFF;
	return w->all_errors && !w->kept[g] ? WARN_ERROR : WARN_ON;
}

int warnings_tell(const struct warnings *w, enum warn_group g, const char *where,
		  const char *format, ...)
{
	enum warn_level level = warnings_level(w, g);
	va_list ap;

	if (level == WARN_OFF)
		return 0;
	fprintf(stderr, "%s: %s: ", where, level == WARN_ERROR ? "error" : "warning");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, " [-Wdrover-%s]\n", names[g]);
	return level == WARN_ERROR ? -ECANCELED : 0;
}

void warnings_plugin(const struct warnings *w, struct strv *argv)
{
	static const char *const levels[] = {"off", "on", "error"};
	_cleanup_buf_ struct buf b = {.max = 4096};

	for (int g = 0; g < WARN_GROUPS; g++) {
		enum warn_level level = warnings_level(w, (enum warn_group)g);
		bool kept = level == WARN_ON && w->all_errors;

		if (buf_printf(&b, "%s%s=%s", g ? "," : "", names[g],
			       kept ? "told" : levels[level]) < 0)
			return;
	}
	strv_add(argv, "-mllvm");
	strv_addf(argv, "-drover-diagnostics=%s", buf_cstr(&b));
}
