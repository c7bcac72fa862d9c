/* State images of a bundle: what is in one, and where two differ. */
#ifndef DROVER_OBJINFO_IMAGE_H
#define DROVER_OBJINFO_IMAGE_H

#include "binaries/objinfo/report.h"

/*
 * Prints view->image, or where view->against differs from it. -EILSEQ: a word differs that must
 * not; every difference has been printed.
 */
int image_show(const struct bundle *b, const struct view *view, struct err *err);

#endif
