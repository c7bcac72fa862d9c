#include "common/fields.h"

#include <errno.h>
#include <string.h>

char *fields_next(char **p)
{
	char *s = *p, *e;

	if (!s || !*s)
		return NULL;
	e = strchr(s, ' ');
	if (e)
		*e++ = '\0';
	*p = e;
	return *s ? s : NULL;
}

char *fields_rest(char **p)
{
	char *s = *p;

	*p = NULL;
	return s && *s ? s : NULL;
}

int fields_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!s || !*s)
		return -EINVAL;
	for (; *s; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (*s < '0' || *s > '9' || v > (max - (digit > max ? max : digit)) / 10 ||
		    digit > max)
			return -EINVAL;
		v = v * 10 + digit;
	}
	*out = v;
	return 0;
}

int fields_u32(const char *s, uint32_t max, uint32_t *out)
{
	uint64_t v;

	if (fields_u64(s, max, &v) < 0)
		return -EINVAL;
	*out = (uint32_t)v;
	return 0;
}

int fields_hex64(const char *s, uint64_t *out)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;
	size_t n = 0;

	for (; s && s[n]; n++) {
		const char *d = strchr(digits, s[n]);

		if (!d || n == 16)
			return -EINVAL;
		v = v << 4 | (uint64_t)(d - digits);
	}
	*out = v;
	return n == 16 ? 0 : -EINVAL;
}

void fields_count(const char *text, size_t count[256])
{
	memset(count, 0, 256 * sizeof *count);
	for (const char *p = text; p;) {
		count[(unsigned char)*p]++;
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
}
