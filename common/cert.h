/*
 * Certificates for a cluster of one's own: an authority, and what it signs for
 * the scheduler (X.509 v3, ECDSA over P-256).
 */
#ifndef DROVER_COMMON_CERT_H
#define DROVER_COMMON_CERT_H

#include <stddef.h>
#include "common/err.h"

/* Makes a key and a self-signed certificate that may sign others. Both files are new, mode 0600
 * and 0644; -EEXIST if one is there. */
int cert_make_authority(const char *key_path, const char *cert_path, const char *name,
			unsigned int days, struct err *e);

/* Makes a key and a server's certificate for the names (DNS names and IP addresses), signed by the
 * authority. */
int cert_make_server(const char *key_path, const char *cert_path, const char *ca_key_path,
		     const char *ca_cert_path, const char *const *names, size_t nnames,
		     unsigned int days, struct err *e);

#endif
