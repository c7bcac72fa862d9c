/* See cert.h. All of it is libcrypto's. */
#include "common/cert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"

#define NAMES_MAX 8192

/* What libcrypto says of its last failure. */
static int crypto_error(struct err *e, const char *doing, const char *what)
{
	char text[160];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return err_set(e, -EIO, "%s %s: %s", doing, what, text);
}

static EVP_PKEY *new_key(struct err *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) <= 0 ||
	    EVP_PKEY_keygen(ctx, &key) <= 0)
		(void)crypto_error(e, "making", "a key");
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static int set_serial(X509 *x)
{
	unsigned char raw[16];
	BIGNUM *bn;
	int ok;

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return 0;
	raw[0] &= 0x7f; /* positive: RFC 5280, 4.1.2.2 */
	bn = BN_bin2bn(raw, sizeof(raw), NULL);
	ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;
	BN_free(bn);
	return ok;
}

static int add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	return ok;
}

/* Names, times, key; issuer is x itself for an authority. */
static X509 *new_cert(EVP_PKEY *key, const char *name, X509 *issuer, unsigned int days,
		      struct err *e)
{
	X509 *x = X509_new();
	X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
	const unsigned char *cn = (const unsigned char *)name;

	/* Yesterday: clocks differ. */
	if (x && X509_set_version(x, 2) && set_serial(x) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
	    X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, NULL) &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, cn, -1, -1, 0) &&
	    X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : subject) &&
	    X509_set_pubkey(x, key))
		return x;
	(void)crypto_error(e, "making the certificate of", name);
	X509_free(x);
	return NULL;
}

/* ---- files -------------------------------------------------------------- */

static FILE *create(const char *path, mode_t mode, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "we");

	if (f)
		return f;
	err_sys(e, -errno, "can't make %s", path);
	if (e && e->code == -EEXIST)
		(void)err_hint(e, "remove it, or choose another directory");
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int finish(FILE *f, int ok, const char *path, struct err *e)
{
	ok = ok && !fflush(f) && !fsync(fileno(f));
	if (fclose(f) || !ok) {
		(void)unlink(path);
		return err_set(e, -EIO, "can't write %s", path);
	}
	return 0;
}

static int write_pair(EVP_PKEY *key, X509 *x, const char *key_path, const char *cert_path,
		      struct err *e)
{
	FILE *k, *c;
	int r;

	k = create(key_path, 0600, e);
	if (!k)
		return e ? e->code : -EIO;
	c = create(cert_path, 0644, e);
	r = finish(k, c && PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL), key_path,
		   c ? e : NULL);
	if (c && !r)
		r = finish(c, PEM_write_X509(c, x), cert_path, e);
	else if (c)
		(void)fclose(c);
	return r;
}

static int read_pair(const char *key_path, const char *cert_path, EVP_PKEY **key, X509 **x,
		     struct err *e)
{
	FILE *k = fopen(key_path, "re"), *c = k ? fopen(cert_path, "re") : NULL;
	int r = 0;

	if (!k || !c)
		r = err_sys(e, -errno, "can't open %s", k ? cert_path : key_path);
	if (!r && !(*key = PEM_read_PrivateKey(k, NULL, NULL, NULL)))
		r = crypto_error(e, "reading", key_path);
	if (!r && !(*x = PEM_read_X509(c, NULL, NULL, NULL)))
		r = crypto_error(e, "reading", cert_path);
	if (!r && X509_check_private_key(*x, *key) != 1)
		r = err_set(e, -EINVAL, "%s is not the key of %s", key_path, cert_path);
	if (k)
		(void)fclose(k);
	if (c)
		(void)fclose(c);
	return r;
}

/* ---- the two kinds ------------------------------------------------------ */

int cert_make_authority(const char *key_path, const char *cert_path, const char *name,
			unsigned int days, struct err *e)
{
	EVP_PKEY *key = new_key(e);
	X509 *x = key ? new_cert(key, name, NULL, days, e) : NULL;
	int r = 0;

	if (!x)
		r = -EIO;
	else if (!add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
		 !add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") ||
		 !add_extension(x, x, NID_subject_key_identifier, "hash") ||
		 !X509_sign(x, key, EVP_sha256()))
		r = crypto_error(e, "signing", cert_path);
	if (!r)
		r = write_pair(key, x, key_path, cert_path, e);
	X509_free(x);
	EVP_PKEY_free(key);
	return r;
}

/* "DNS:a,IP:127.0.0.1": only what can be a host's name, for the text has a syntax of its own. */
static int alternative_names(struct buf *out, const char *const *names, size_t n, struct err *e)
{
	static const char good[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-*";
	unsigned char address[16];
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		bool ip = inet_pton(AF_INET, names[i], address) == 1 ||
			  inet_pton(AF_INET6, names[i], address) == 1;

		if (!ip && (!*names[i] || names[i][strspn(names[i], good)]))
			return err_set(e, -EINVAL, "\"%.80s\" is not a host's name or address",
				       names[i]);
		r = buf_printf(out, "%s%s:%s", i ? "," : "", ip ? "IP" : "DNS", names[i]);
	}
	return r ? err_set(e, r, "too many names for one certificate") : 0;
}

int cert_make_server(const char *key_path, const char *cert_path, const char *ca_key_path,
		     const char *ca_cert_path, const char *const *names, size_t nnames,
		     unsigned int days, struct err *e)
{
	_cleanup_buf_ struct buf alt;
	EVP_PKEY *ca_key = NULL, *key = NULL;
	X509 *ca = NULL, *x = NULL;
	int r;

	buf_init(&alt, NAMES_MAX);
	if (!nnames)
		return err_set(e, -EINVAL, "a server's certificate needs a name");
	r = alternative_names(&alt, names, nnames, e);
	if (!r)
		r = read_pair(ca_key_path, ca_cert_path, &ca_key, &ca, e);
	if (!r && !(key = new_key(e)))
		r = -EIO;
	if (!r && !(x = new_cert(key, names[0], ca, days, e)))
		r = -EIO;
	if (!r && (!add_extension(x, ca, NID_basic_constraints, "critical,CA:FALSE") ||
		   !add_extension(x, ca, NID_key_usage, "critical,digitalSignature") ||
		   !add_extension(x, ca, NID_ext_key_usage, "serverAuth") ||
		   !add_extension(x, ca, NID_subject_alt_name, buf_cstr(&alt)) ||
		   !add_extension(x, ca, NID_subject_key_identifier, "hash") ||
		   !add_extension(x, ca, NID_authority_key_identifier, "keyid") ||
		   !X509_sign(x, ca_key, EVP_sha256())))
		r = crypto_error(e, "signing", cert_path);
	if (!r)
		r = write_pair(key, x, key_path, cert_path, e);
	X509_free(ca);
	X509_free(x);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return r;
}
