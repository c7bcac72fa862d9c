/*
 * Files of a directory, as a browser wants them: type, entity tag, gzip where it
 * was made beforehand, and headers that let a page load nothing from elsewhere.
 */
#include "common/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static const char *content_type(const char *name)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".mjs", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".json", "application/json"},
		{".map", "application/json"},
		{".webmanifest", "application/manifest+json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/x-icon"},
		{".woff2", "font/woff2"},
		{".txt", "text/plain; charset=utf-8"},
	};
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t n = strlen(types[i].suffix);

		if (len > n && !strcmp(name + len - n, types[i].suffix))
			return types[i].type;
	}
	return "application/octet-stream";
}

/* Plain segments only: none is empty or begins with a dot. */
static bool is_plain(const char *rel)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789._-/";

	if (!*rel || rel[strspn(rel, good)])
		return false;
	for (const char *seg = rel; seg; seg = strchr(seg, '/')) {
		seg += seg != rel;
		if (!*seg || *seg == '.' || *seg == '/')
			return false;
	}
	return true;
}

/* Does Accept-Encoding take gzip? "gzip;q=0" is rare but means no. */
static bool takes_gzip(const struct http_exchange *rq)
{
	const char *accept = http_header(rq, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	const char *gzip = accept ? strstr(accept, "gzip") : NULL;

	return gzip && strncmp(gzip, "gzip;q=0", 8) != 0;
}

static int open_regular(const char *dir, const char *rel, const char *suffix, struct stat *sb)
{
	char path[4352];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s%s", dir, rel, suffix) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && (fstat(fd, sb) || !S_ISREG(sb->st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void add_security_headers(struct http_exchange *rq)
{
	http_add_header(rq, "Content-Security-Policy",
			"default-src 'none'; script-src 'self'; style-src 'self'; "
			"connect-src 'self'; img-src 'self' data:; font-src 'self'; "
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
	http_add_header(rq, "X-Content-Type-Options", "nosniff");
	http_add_header(rq, "Referrer-Policy", "no-referrer");
	http_add_header(rq, "Cross-Origin-Opener-Policy", "same-origin");
	http_add_header(rq, "Cache-Control",
			"no-cache"); /* ask each time; the tag makes it cheap */
	http_add_header(rq, "Vary", "Accept-Encoding");
}

void http_reply_static(struct http_exchange *rq, const char *dir, const char *rel)
{
	struct stat sb = {0};
	bool zipped = false;
	char tag[80];
	int fd = -1;

	if (is_plain(rel)) {
		fd = takes_gzip(rq) ? open_regular(dir, rel, ".gz", &sb) : -1;
		zipped = fd >= 0;
		if (fd < 0)
			fd = open_regular(dir, rel, "", &sb);
	}
	if (fd < 0) {
		http_reply_problem(rq, 404, "there is no such file", NULL);
		return;
	}
	add_security_headers(rq);
	(void)snprintf(tag, sizeof(tag), "%" PRIx64 "-%" PRIx64 "-%" PRIx64 "%s",
		       (uint64_t)sb.st_mtim.tv_sec, (uint64_t)sb.st_mtim.tv_nsec,
		       (uint64_t)sb.st_size, zipped ? "-gz" : "");
	if (http_etag(rq, tag)) {
		close(fd);
		return;
	}
	if (zipped)
		http_add_header(rq, "Content-Encoding", "gzip");
	http_reply_fd(rq, 200, content_type(rel), fd, 0, (uint64_t)sb.st_size);
}
