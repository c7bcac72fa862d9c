#include "common/id.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

int id_random(char *out, size_t size, size_t nbytes)
{
	uint8_t raw[64];

	if (nbytes > sizeof(raw) || size < 2 * nbytes + 1)
		return -EINVAL;
	/* Up to 256 bytes are never short (getrandom(2)). */
	if (getrandom(raw, nbytes, 0) != (ssize_t)nbytes)
		return -errno;
	for (size_t i = 0; i < nbytes; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", raw[i]);
	out[2 * nbytes] = '\0';
	return 0;
}
