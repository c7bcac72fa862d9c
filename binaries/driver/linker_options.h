/*
 * What -Wl, and -Xlinker hand to the linker. The aligned link makes its own
 * layout, so most of it means nothing here, and some would break it.  Pure.
 */
#ifndef DROVER_DRIVER_LINKER_OPTIONS_H
#define DROVER_DRIVER_LINKER_OPTIONS_H

#include "common/err.h"

enum linker_effect {
	LINKER_NONE,
	LINKER_PASS,    /* goes to ld.lld as it is */
	LINKER_MARK,    /* holds for the inputs that follow: --whole-archive and its end */
	LINKER_SYMBOL,  /* *VALUE is a symbol to look for in archives: -u */
	LINKER_VERSION, /* which linker is it */
};

/* An option whose value is the next word, which may be in another -Wl. */
struct linker_words {
	const void *pending;
};

/*
 * Takes the next word.  VALUE, into WORD, is for LINKER_SYMBOL.  -ENOTSUP: the option is not
 * known to be harmless.
 */
int linker_word(struct linker_words *w, const char *word, enum linker_effect *effect,
		const char **value, struct err *err);

#endif
