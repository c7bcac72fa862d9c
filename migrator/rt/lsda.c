#include "migrator/rt/lsda.h"

#include <stddef.h>
#include <string.h>

/* Pointer encodings (DW_EH_PE_*) that call-site tables use. */
enum { ABSOLUTE = 0x00, ULEB128 = 0x01, UDATA2 = 0x02, UDATA4 = 0x03, UDATA8 = 0x04, OMIT = 0xff };

static uint64_t uleb(const unsigned char **p)
{
	uint64_t v = 0;
	unsigned shift = 0, byte;

	do {
		byte = *(*p)++;
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return v;
}

/* Call-site fields are offsets from the function's start, so only the format part of an encoding
 * counts. */
static uint64_t value(const unsigned char **p, unsigned encoding)
{
	uint64_t v = 0;
	size_t n = 0;

	switch (encoding & 0x0f) {
	case ULEB128:
		return uleb(p);
	case UDATA2:
		n = 2;
		break;
	case UDATA4:
		n = 4;
		break;
	case ABSOLUTE:
	case UDATA8:
		n = 8;
		break;
	default:
		break;
	}
	memcpy(&v, *p, n);
	*p += n;
	return v;
}

uint64_t lsda_landing_pad(const unsigned char *lsda, uint64_t offset)
{
	const unsigned char *p = lsda, *end;
	unsigned encoding;
	uint64_t length;

	encoding = *p++; /* of the landing pads' base */
	if (encoding != OMIT)
		return 0; /* a base other than the function's start: not our compiler's */
	encoding = *p++;  /* of the type table, which cleanups do not use */
	if (encoding != OMIT)
		uleb(&p);
	encoding = *p++;
	length = uleb(&p);
	end = p + length;
	while (p < end) {
		uint64_t start = value(&p, encoding), size = value(&p, encoding);
		uint64_t pad = value(&p, encoding);

		uleb(&p); /* action: 0 for a cleanup */
		if (offset < start)
			return 0; /* the table ascends */
		if (offset < start + size)
			return pad;
	}
	return 0;
}
