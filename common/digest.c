#include "common/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

struct digest {
	EVP_MD_CTX *ctx;
};

struct digest *digest_new(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1) {
		digest_free(d);
		return NULL;
	}
	return d;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

int digest_update(struct digest *d, const void *data, size_t len)
{
	return EVP_DigestUpdate(d->ctx, data, len) == 1 ? 0 : -EIO;
}

int digest_final(struct digest *d, uint8_t out[DIGEST_SIZE])
{
	unsigned int n = 0;

	return EVP_DigestFinal_ex(d->ctx, out, &n) == 1 && n == DIGEST_SIZE ? 0 : -EIO;
}

int digest_buf(const void *data, size_t len, uint8_t out[DIGEST_SIZE])
{
	unsigned int n = 0;

	return EVP_Digest(data, len, out, &n, EVP_sha256(), NULL) == 1 && n == DIGEST_SIZE ? 0
											   : -EIO;
}

static void cleanup_digest(struct digest **d)
{
	digest_free(*d);
}

int digest_fd(int fd, uint8_t out[DIGEST_SIZE])
{
	_cleanup_(cleanup_digest) struct digest *d = digest_new();
	char chunk[65536];

	if (!d)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return digest_final(d, out);
		if (digest_update(d, chunk, (size_t)n) < 0)
			return -EIO;
	}
}

int digest_file(const char *path, uint8_t out[DIGEST_SIZE])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : digest_fd(fd, out);
}

void digest_hex(const uint8_t d[DIGEST_SIZE], char out[DIGEST_HEX_SIZE])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		out[2 * i] = hex[d[i] >> 4];
		out[2 * i + 1] = hex[d[i] & 15];
	}
	out[2 * DIGEST_SIZE] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int digest_parse(const char *s, uint8_t out[DIGEST_SIZE])
{
	if (strnlen(s, DIGEST_HEX_SIZE) != 2 * DIGEST_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int hi = hex_value(s[2 * i]), lo = hex_value(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
