/*
 * Bundles: multi-ISA executables, one file.  Format: docs/formats/bundle.md.
 *
 * A bundle is the executable of x86-64 that carries the executable of AArch64
 * whole, and a manifest, in sections that are not loaded.  It runs directly as an
 * ordinary static program.  Readers trust nothing in it.
 */
#ifndef DROVER_BUNDLE_H
#define DROVER_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/err.h"
#include "common/isa.h"

#define BUNDLE_VERSION  1
#define BUNDLE_FILE_MAX (UINT64_C(256) << 20) /* bytes of the largest bundle that is read */
#define BUNDLE_NAME_MAX 128

/* The half of the bundle's own ISA is the bundle itself: its size and digest are not recorded. */
struct bundle_half {
	bool present;
	uint64_t size;
	uint8_t sha256[DIGEST_SIZE];
};

/* What the manifest says; addresses hold for every half. */
struct bundle_manifest {
	char name[BUNDLE_NAME_MAX];
	char made_by[64]; /* version of drover-cc */
	struct bundle_half half[ISA_COUNT];
	uint8_t build_id[DIGEST_SIZE]; /* identity of the program, in both halves */
	uint64_t data_start, data_end; /* data that moves */
	uint64_t text_start, text_end;
	uint64_t shared, differing; /* symbols at one address, and with an address per ISA */
};

struct bundle;

/*
 * Opens and verifies: ELF structure, manifest, size and SHA-256 of the carried half, one build id
 * in both.  -EINVAL says what is wrong; -EFBIG: larger than BUNDLE_FILE_MAX.  NAME is for messages.
 */
int bundle_open(const char *path, struct bundle **out, struct err *e);
int bundle_open_fd(int fd, const char *name, struct bundle **out, struct err *e);
int bundle_open_data(const void *data, size_t len, const char *name, struct bundle **out,
		     struct err *e);
void bundle_free(struct bundle *b);

const struct bundle_manifest *bundle_manifest(const struct bundle *b);
bool bundle_has(const struct bundle *b, enum isa isa);

/* SHA-256 of the file: the name a bundle has in a cluster. */
void bundle_digest(const struct bundle *b, uint8_t out[DIGEST_SIZE]);

/* The executable of one ISA; borrowed from the bundle.  NULL: not there. */
const void *bundle_half_data(const struct bundle *b, enum isa isa, size_t *len);

/* The same as a sealed-in-memory file, readable and executable; the caller closes it. < 0: errno.
 */
int bundle_half_fd(const struct bundle *b, enum isa isa, struct err *e);

/* Text of .state_transform of a half; borrowed, not NUL-terminated.  NULL: none. */
const char *bundle_transform(const struct bundle *b, enum isa isa, size_t *len);

/* The manifest as JSON text, NUL-terminated; the caller frees it.  NULL: no memory. */
char *bundle_manifest_text(const struct bundle_manifest *m);

#endif
