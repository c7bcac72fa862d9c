/* See http_client.h. */
#include "common/http_client.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <curl/curl.h>

#include "common/file.h"
#include "common/json.h"

#define DEFAULT_ANSWER_MAX (1u << 20)
#define DEFAULT_TIMEOUT_MS 30000u
#define TOKEN_MAX          4096
#define TOKEN_CHARS        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

struct http_client {
	CURL *curl;
	char base[256];
	const atomic_bool *stop;
	const char *ca;      /* NULL: the system's authorities */
	char *authorization; /* header line with the token, or NULL */
};

/* What the callbacks of one exchange share. */
struct exchange {
	const struct http_request *req;
	struct http_answer *answer;
	const atomic_bool *stop;
	size_t got, max, sent;
	int code; /* why a callback ended the exchange */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_setup(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct {
	const char *ca, *token_file;
} credentials;

void http_client_credentials(const char *ca_file, const char *token_file)
{
	credentials.ca = ca_file;
	credentials.token_file = token_file;
}

static const char *non_empty(const char *s)
{
	return s && *s ? s : NULL;
}

static int load_token(struct http_client *c, const char *path, struct err *e)
{
	_cleanup_buf_ struct buf b;
	size_t len;
	int r;

	buf_init(&b, TOKEN_MAX);
	r = file_read(path, &b, e);
	if (r)
		return r;
	len = strcspn(buf_cstr(&b), "\r\n");
	if (!len || strspn(buf_cstr(&b), TOKEN_CHARS) != len)
		return err_set(e, -EINVAL, "%s holds no token", path);
	r = asprintf(&c->authorization, "Authorization: Bearer %.*s", (int)len, buf_cstr(&b));
	explicit_bzero(b.data, b.len);
	if (r < 0)
		c->authorization = NULL;
	return r < 0 ? err_set(e, -ENOMEM, "no memory for the token") : 0;
}

/* The machine itself, as people write it. */
static bool is_local(const char *host)
{
	return !strncmp(host, "127.", 4) || !strncmp(host, "[::1]", 5) ||
	       !strncmp(host, "localhost:", 10) || !strcmp(host, "localhost");
}

static int set_credentials(struct http_client *c, struct err *e)
{
	const char *token = credentials.token_file ? credentials.token_file
						   : non_empty(getenv("DROVER_TOKEN_FILE"));

	c->ca = credentials.ca ? credentials.ca : non_empty(getenv("DROVER_CA"));
	if (!token)
		return 0;
	if (!strncmp(c->base, "http://", 7) && !is_local(c->base + 7)) {
		err_set(e, -EACCES, "server '%s': a token must not go there unencrypted", c->base);
		return err_hint(e, "use https://, or leave the token out");
	}
	return load_token(c, token, e);
}

struct http_client *http_client_new(const char *base, struct err *e)
{
	size_t len = strlen(base), scheme = !strncmp(base, "https://", 8) ? 8 : 7;
	struct http_client *c;

	if ((strncmp(base, "http://", 7) != 0 && scheme == 7) || len <= scheme ||
	    strpbrk(base + scheme, "/?# ")) {
		err_set(e, -EINVAL, "server '%s': not a URL of the form http://HOST:PORT", base);
		(void)err_hint(e, "or https://HOST:PORT");
		return NULL;
	}
	pthread_once(&curl_once, curl_setup);
	c = calloc(1, sizeof(*c));
	if (!c || len >= sizeof(c->base)) {
		free(c);
		err_set(e, -ENOMEM, "server '%s': no room for it", base);
		return NULL;
	}
	memcpy(c->base, base, len + 1);
	if (set_credentials(c, e)) {
		free(c);
		return NULL;
	}
	c->curl = curl_easy_init();
	if (!c->curl) {
		http_client_free(c);
		err_set(e, -ENOMEM, "server '%s': no room for a connection", base);
		return NULL;
	}
	return c;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	if (c->curl)
		curl_easy_cleanup(c->curl);
	if (c->authorization)
		explicit_bzero(c->authorization, strlen(c->authorization));
	free(c->authorization);
	free(c);
}

void http_client_stop_on(struct http_client *c, const atomic_bool *flag)
{
	c->stop = flag;
}

const char *http_client_base(const struct http_client *c)
{
	return c->base;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	size_t len = size * n;
	int rc;

	if (len > x->max - x->got) {
		x->code = -EFBIG;
		return 0;
	}
	x->got += len;
	/* An error's text is for the caller, not for the place the body was meant to go to. */
	if (x->answer->status >= 400)
		rc = buf_append(&x->answer->body, data, len);
	else if (x->req->sink)
		rc = x->req->sink(x->req->sink_arg, data, len) ? -ECANCELED : 0;
	else if (x->req->answer_fd > 0)
		rc = file_write_all(x->req->answer_fd, data, len);
	else
		rc = buf_append(&x->answer->body, data, len);
	if (rc) {
		x->code = rc;
		return 0;
	}
	return len;
}

static void copy_value(const char *data, size_t len, char *out, size_t size)
{
	while (len && (*data == ' ' || *data == '\t')) {
		data++;
		len--;
	}
	while (len && (data[len - 1] == '\r' || data[len - 1] == '\n' || data[len - 1] == ' '))
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(out, data, len);
	out[len] = '\0';
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	size_t len = size * n;

	if (len > 9 && !strncmp(data, "HTTP/", 5)) {
		const char *sp = memchr(data, ' ', len);
		char digits[4] = "";

		if (sp && (size_t)(data + len - sp) > 4)
			memcpy(digits, sp + 1, 3);
		x->answer->status = (int)strtol(digits, NULL, 10);
	} else if (len > 13 && !strncasecmp(data, "content-type:", 13)) {
		copy_value(data + 13, len - 13, x->answer->content_type,
			   sizeof(x->answer->content_type));
	} else if (len > 9 && !strncasecmp(data, "location:", 9)) {
		copy_value(data + 9, len - 9, x->answer->location, sizeof(x->answer->location));
	}
	return len;
}

static size_t on_upload(char *out, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	size_t room = size * n, left = x->req->body_len - x->sent;
	ssize_t got;

	if (room > left)
		room = left;
	if (!room)
		return 0;
	if (x->req->body_fd > 0) {
		do
			got = pread(x->req->body_fd, out, room, (off_t)x->sent);
		while (got < 0 && errno == EINTR);
		if (got <= 0) {
			x->code = got < 0 ? -errno : -ENODATA;
			return CURL_READFUNC_ABORT;
		}
		room = (size_t)got;
	} else {
		memcpy(out, (const char *)x->req->body + x->sent, room);
	}
	x->sent += room;
	return room;
}

static int on_progress(void *arg, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
	const struct exchange *x = arg;

	(void)dt;
	(void)dn;
	(void)ut;
	(void)un;
	return x->stop && atomic_load(x->stop);
}

static int transport_errno(CURLcode rc, const struct exchange *x)
{
	if (x->code)
		return x->code;
	switch (rc) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return -EPROTO;
	case CURLE_ABORTED_BY_CALLBACK:
		return -ECANCELED;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return -EPIPE;
	default:
		return -EIO;
	}
}

static void set_options(struct http_client *c, const char *url, struct curl_slist *headers,
			struct exchange *x)
{
	const struct http_request *r = x->req;
	CURL *h = c->curl;

	curl_easy_reset(h);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, r->method);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->ca)
		curl_easy_setopt(h, CURLOPT_CAINFO, c->ca);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, 3000L);
	if (r->stall_ms) {
		curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)(r->stall_ms / 1000 + 1));
	} else {
		curl_easy_setopt(h, CURLOPT_TIMEOUT_MS,
				 (long)(r->timeout_ms ? r->timeout_ms : DEFAULT_TIMEOUT_MS));
	}
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, x);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, c->stop ? 0L : 1L);
	if (r->body || r->body_fd > 0) {
		curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(h, CURLOPT_READFUNCTION, on_upload);
		curl_easy_setopt(h, CURLOPT_READDATA, x);
		curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body_len);
	} else if (!strcmp(r->method, "POST") || !strcmp(r->method, "PUT")) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, 0L);
	}
}

static struct curl_slist *add_header(struct curl_slist *list, const char *line)
{
	struct curl_slist *more = curl_slist_append(list, line);

	if (!more)
		curl_slist_free_all(list);
	return more;
}

static struct curl_slist *make_headers(const struct http_client *c, const struct http_request *r)
{
	/* No "100-continue" round trip: the peers are ours. */
	struct curl_slist *list = add_header(NULL, "Expect:");
	char line[160];

	snprintf(line, sizeof(line), "Content-Type: %s",
		 r->content_type ? r->content_type : "application/json");
	if (list && (r->body || r->body_fd > 0))
		list = add_header(list, line);
	if (list && c->authorization)
		list = add_header(list, c->authorization);
	for (size_t i = 0; list && i < ARRAY_SIZE(r->headers) && r->headers[i]; i++)
		list = add_header(list, r->headers[i]);
	return list;
}

int http_do(struct http_client *c, const struct http_request *r, struct http_answer *a,
	    struct err *e)
{
	struct exchange x = {.req = r, .answer = a, .stop = c->stop};
	_cleanup_buf_ struct buf url = {0};
	struct curl_slist *headers;
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode rc;

	*a = (struct http_answer){0};
	x.max = r->max_answer ? r->max_answer : DEFAULT_ANSWER_MAX;
	buf_init(&a->body, x.max + 1);
	buf_init(&url, 8192);
	if (buf_printf(&url, "%s%s", c->base, r->path))
		return err_set(e, -ENOBUFS, "%s %s: the address is too long", r->method, c->base);
	headers = make_headers(c, r);
	if (!headers)
		return err_set(e, -ENOMEM, "%s %s: out of memory", r->method, r->path);
	set_options(c, url.data, headers, &x);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, detail);
	rc = curl_easy_perform(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(headers);
	if (rc != CURLE_OK || x.code) {
		int code = transport_errno(rc, &x);

		if (code == -EFBIG)
			return err_set(e, code, "%s %s: the answer is larger than %zu bytes",
				       r->method, url.data, x.max);
		err_set(e, code, "%s %s: %s", r->method, url.data,
			*detail ? detail : curl_easy_strerror(rc));
		if (code == -EPROTO)
			(void)err_hint(e, "the server's certificate must be signed by the "
					  "authority in $DROVER_CA, and the URL must say https://");
		return code;
	}
	return 0;
}

void http_answer_free(struct http_answer *a)
{
	buf_free(&a->body);
}

static int status_errno(int status)
{
	switch (status) {
	case 401:
	case 403:
		return -EACCES;
	case 404:
		return -ENOENT;
	case 408:
	case 504:
		return -ETIMEDOUT;
	case 409:
		return -EEXIST;
	case 413:
		return -EFBIG;
	case 429:
	case 503:
		return -EAGAIN;
	case 507:
		return -ENOSPC;
	default:
		return status >= 500 ? -EIO : -EINVAL;
	}
}

int http_check(const struct http_answer *a, struct err *e)
{
	_cleanup_json_ json_t *j = NULL;
	const char *title, *detail, *hint;
	int code;

	if (a->status >= 200 && a->status < 400)
		return 0;
	code = status_errno(a->status);
	if (!a->body.len ||
	    json_parse(a->body.data, a->body.len, a->body.max, "problem", &j, NULL) ||
	    !json_is_object(j))
		return err_set(e, code, "the server answered with status %d", a->status);
	title = json_string_value(json_object_get(j, "title"));
	detail = json_string_value(json_object_get(j, "detail"));
	hint = json_string_value(json_object_get(j, "hint"));
	err_set(e, code, "%s (status %d)", detail ? detail : title ? title : "refused", a->status);
	if (hint)
		err_hint(e, "%s", hint);
	return code;
}

int http_json(struct http_client *c, const char *method, const char *path, const json_t *in,
	      json_t **out, struct err *e)
{
	_cleanup_answer_ struct http_answer a = {0};
	_cleanup_free_ char *text = in ? json_dumps(in, JSON_COMPACT) : NULL;
	struct http_request r = {.method = method, .path = path, .max_answer = 64u << 20};
	int rc;

	if (out)
		*out = NULL;
	if (in && !text)
		return err_set(e, -ENOMEM, "%s %s: out of memory", method, path);
	r.body = text;
	r.body_len = text ? strlen(text) : 0;
	rc = http_do(c, &r, &a, e);
	if (!rc)
		rc = http_check(&a, e);
	if (rc || !out || !a.body.len)
		return rc;
	return json_parse(a.body.data, a.body.len, a.body.max, path, out, e);
}

int http_escape(struct buf *b, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	int rc = 0;

	for (; *s && !rc; s++) {
		unsigned char ch = (unsigned char)*s;
		char quoted[3] = {'%', hex[ch >> 4], hex[ch & 15]};

		if ((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
		    (ch >= 'a' && ch <= 'z') || strchr("-_.~", ch))
			rc = buf_append(b, s, 1);
		else
			rc = buf_append(b, quoted, 3);
	}
	return rc;
}

unsigned int http_backoff_ms(unsigned int n, uint32_t r)
{
	unsigned int full = 100u << (n < 1 ? 0 : n > 6 ? 5 : n - 1);

	return full / 2 + r % (full / 2 + 1);
}
