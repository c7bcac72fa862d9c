/* Bearer tokens as anybody may send them: none of them is ours unless the corpus says so. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/token.h"

#define KEY   "0123456789abcdef0123456789abcdef"
#define NOW_S 1700000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token_key key = {.len = strlen(KEY)};
	struct token_claims c;
	struct err e = ERR_INIT;
	char text[2 * TOKEN_MAX];

	if (size >= sizeof(text))
		return 0;
	memcpy(key.bytes, KEY, key.len);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!token_check(&key, text, NOW_S, &c, &e)) {
		if (!c.name[0] || !token_role_name(c.role) || c.expires_s <= NOW_S)
			abort();
	} else if (!e.msg[0] || c.name[0]) {
		abort();
	}
	return 0;
}
