/*
 * The supervisor's reader of a state image (docs/formats/image.md): checks it as
 * a whole before a process is started for it, and says what is in it.
 *
 * The rules are those the runtime applies (migrator/rt/image_check.h, compiled
 * for the host as well); the stack's frames are checked against the bundle's
 * .state_transform. Contents of pages are not looked at.
 */
#ifndef DROVER_STATE_IMAGE_H
#define DROVER_STATE_IMAGE_H

#include <jansson.h>
#include <stdio.h>
#include "binaries/bundle/bundle.h"
#include "common/err.h"
#include "common/json.h"
#include "binaries/bundle/transform.h"
#include "migrator/include/image.h"

/* What an image must agree with. */
struct image_program {
	const char *name;
	uint8_t build_id[DIGEST_SIZE];
	uint64_t data_start, data_end, text_start, text_end;
	struct transform transform;
};

/* From a bundle. Free with image_program_free(). */
int image_program_open(const struct bundle *b, struct image_program *p, struct err *e);
void image_program_free(struct image_program *p);

struct state_image;

/* Reads fd (any offset; it is not moved) and checks everything of section 2. -EINVAL says what is
 * wrong. */
int state_image_open(int fd, const struct image_program *p, struct state_image **out,
		     struct err *e);
void state_image_free(struct state_image *img);

/* Only the check. */
int state_image_check(int fd, const struct image_program *p, struct err *e);

/* Frames with functions and lines, maps, descriptors. */
void state_image_print(const struct state_image *img, const struct image_program *p, FILE *out);
json_t *state_image_json(const struct state_image *img, const struct image_program *p);

#endif
