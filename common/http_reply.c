/*
 * Answers: JSON with entity tags, bytes, files with ranges, problems, streams.
 */
#include "common/http_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#define STREAM_BLOCK 32768

void http_add_header(struct http_exchange *rq, const char *name, const char *value)
{
	if (rq->nheaders == ARRAY_SIZE(rq->headers))
		return;
	(void)snprintf(rq->headers[rq->nheaders].name, sizeof(rq->headers[0].name), "%s", name);
	(void)snprintf(rq->headers[rq->nheaders].value, sizeof(rq->headers[0].value), "%s", value);
	rq->nheaders++;
}

static void send_response(struct http_exchange *rq, unsigned int status, const char *type,
			  struct MHD_Response *rsp)
{
	if (!rsp) {
		log_error("http.reply error=\"no memory\"");
		return;
	}
	if (type)
		(void)MHD_add_response_header(rsp, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (unsigned int i = 0; i < rq->nheaders; i++)
		(void)MHD_add_response_header(rsp, rq->headers[i].name, rq->headers[i].value);
	rq->replied = MHD_queue_response(rq->conn, status, rsp) == MHD_YES;
	MHD_destroy_response(rsp);
}

void http_reply_bytes(struct http_exchange *rq, unsigned int status, const char *type,
		      const void *data, size_t len)
{
	send_response(rq, status, type,
		      MHD_create_response_from_buffer(len, (void *)(uintptr_t)data,
						      MHD_RESPMEM_MUST_COPY));
}

void http_reply_empty(struct http_exchange *rq, unsigned int status)
{
	http_reply_bytes(rq, status, NULL, "", 0);
}

/* ---- entity tags (RFC 9110, 8.8.3 and 13.1) ----------------------------- */

bool http_names_tag(const char *list, const char *tag)
{
	size_t len = strlen(tag);

	for (const char *p = list; *p; p++) {
		if (*p == '*')
			return true;
		if (*p != '"')
			continue;
		if (!strncmp(p + 1, tag, len) && p[1 + len] == '"')
			return true;
		p = strchr(p + 1, '"');
		if (!p)
			return false;
	}
	return false;
}

bool http_etag(struct http_exchange *rq, const char *tag)
{
	const char *known = http_header(rq, MHD_HTTP_HEADER_IF_NONE_MATCH);
	char quoted[96];

	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", tag);
	http_add_header(rq, MHD_HTTP_HEADER_ETAG, quoted);
	if (!rq->is_get || !known || !http_names_tag(known, tag))
		return false;
	http_reply_empty(rq, 304);
	return true;
}

/* FNV-1a 64 (Fowler, Noll, Vo) over the text of an answer. */
static void text_tag(const char *text, size_t len, char tag[20])
{
	uint64_t h = 14695981039346656037ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 1099511628211ull;
	(void)snprintf(tag, 20, "%016" PRIx64, h);
}

static char *json_text(const json_t *body)
{
	return body ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
}

void http_json_tag(const json_t *body, char tag[20])
{
	_cleanup_free_ char *text = json_text(body);

	tag[0] = '\0';
	if (text)
		text_tag(text, strlen(text), tag);
}

bool http_if_match(struct http_exchange *rq, const json_t *current)
{
	const char *wanted = http_header(rq, MHD_HTTP_HEADER_IF_MATCH);
	char tag[20];

	if (!wanted)
		return true;
	http_json_tag(current, tag);
	if (!tag[0]) {
		http_reply_problem(rq, 500, "out of memory", NULL);
		return false;
	}
	if (http_names_tag(wanted, tag))
		return true;
	http_reply_problem(rq, 412, "it was changed in between: If-Match names another state",
			   "read it again, then decide anew");
	return false;
}

/* ---- JSON --------------------------------------------------------------- */

static void reply_json_as(struct http_exchange *rq, unsigned int status, const char *type,
			  json_t *body)
{
	char *text = json_text(body);
	size_t len = text ? strlen(text) : 0;
	struct MHD_Response *rsp;
	char tag[20];

	json_decref(body);
	if (!text) {
		http_reply_bytes(rq, 500, "text/plain", "out of memory\n", 14);
		return;
	}
	if (status == 200 && rq->is_get) {
		text_tag(text, len, tag);
		if (http_etag(rq, tag)) {
			free(text);
			return;
		}
	}
	rsp = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (!rsp)
		free(text);
	send_response(rq, status, type, rsp);
}

void http_reply_json(struct http_exchange *rq, unsigned int status, json_t *body)
{
	reply_json_as(rq, status, "application/json", body);
}

/* ---- files -------------------------------------------------------------- */

int http_parse_range(const char *text, uint64_t size, uint64_t *from, uint64_t *len)
{
	uint64_t first, last = size ? size - 1 : 0;
	char *end;

	if (strncmp(text, "bytes=", 6) != 0 || strchr(text, ','))
		return 0;
	text += 6;
	errno = 0;
	if (*text == '-') {
		first = strtoull(text + 1, &end, 10);
		if (text[1] < '0' || text[1] > '9' || *end || errno)
			return 0;
		if (!first || !size)
			return -ERANGE;
		first = first < size ? size - first : 0;
	} else {
		first = strtoull(text, &end, 10);
		if (*text < '0' || *text > '9' || *end != '-' || errno)
			return 0;
		if (end[1]) {
			uint64_t to = strtoull(end + 1, &end, 10);

			if (*end || errno || to < first)
				return 0;
			last = to < last ? to : last;
		}
		if (first >= size)
			return -ERANGE;
	}
	*from = first;
	*len = last - first + 1;
	return 1;
}

/* Narrows offset and len to the Range that was asked for; returns the status. */
static unsigned int narrow(struct http_exchange *rq, uint64_t *offset, uint64_t *len)
{
	const char *range = http_header(rq, MHD_HTTP_HEADER_RANGE);
	uint64_t from = 0, n = 0;
	char text[96];
	int r;

	http_add_header(rq, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	/* If-Range needs a tag that these files don't have: then the whole is sent. */
	if (!range || !rq->is_get || http_header(rq, MHD_HTTP_HEADER_IF_RANGE))
		return 200;
	r = http_parse_range(range, *len, &from, &n);
	if (!r)
		return 200;
	if (r < 0)
		(void)snprintf(text, sizeof(text), "bytes */%" PRIu64, *len);
	else
		(void)snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from,
			       from + n - 1, *len);
	http_add_header(rq, MHD_HTTP_HEADER_CONTENT_RANGE, text);
	*offset += from;
	*len = n;
	return r < 0 ? 416 : 206;
}

void http_reply_fd(struct http_exchange *rq, unsigned int status, const char *type, int fd,
		   uint64_t offset, uint64_t len)
{
	struct MHD_Response *rsp;

	if (status == 200)
		status = narrow(rq, &offset, &len);
	if (status == 416) {
		close(fd);
		http_reply_problem(rq, 416, "there is nothing in the range that was asked for",
				   NULL);
		return;
	}
	if (!len) {
		/* libmicrohttpd 0.9.75 doesn't serve an empty range of a file. */
		close(fd);
		http_reply_bytes(rq, status, type, "", 0);
		return;
	}
	rsp = MHD_create_response_from_fd_at_offset64(len, fd, offset);
	if (!rsp)
		close(fd);
	send_response(rq, status, type, rsp);
}

/* ---- problems ----------------------------------------------------------- */

static const char *status_title(unsigned int status)
{
	static const struct {
		unsigned int status;
		const char *title;
	} titles[] = {
		{400, "Bad request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not found"},
		{405, "Method not allowed"},
		{409, "Conflict"},
		{412, "Precondition failed"},
		{413, "Content too large"},
		{416, "Range not satisfiable"},
		{422, "Unprocessable content"},
		{429, "Too many requests"},
		{500, "Internal server error"},
		{503, "Service unavailable"},
		{507, "Insufficient storage"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

static json_t *problem(unsigned int status, const char *detail, const char *hint)
{
	json_t *o = json_pack("{s:s, s:s, s:i}", "type", "about:blank", "title",
			      status_title(status), "status", (int)status);

	if (o) {
		json_t *text = json_string(detail);

		/* Detail may quote what came from outside, which need not be UTF-8. */
		json_object_set_new(o, "detail", text ? text : json_string("(not readable)"));
		if (hint && *hint)
			json_object_set_new(o, "hint", json_string(hint));
	}
	return o;
}

/* [{"field":"cpus","detail":"..."}]; a name may quote what isn't UTF-8. */
static json_t *problem_fields(const struct err_fields *list)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < list->n; i++)
		(void)json_array_append_new(a, json_pack("{s:s*, s:s*}", "field", list->v[i].field,
							 "detail", list->v[i].detail));
	return a;
}

void http_reply_problem(struct http_exchange *rq, unsigned int status, const char *detail,
			const char *hint)
{
	reply_json_as(rq, status, "application/problem+json", problem(status, detail, hint));
}

void http_reply_err(struct http_exchange *rq, const struct err *e)
{
	static const struct {
		int code;
		unsigned int status;
	} map[] = {
		{-ENOENT, 404},   {-EINVAL, 400},  {-EFBIG, 413},  {-EBUSY, 409},  {-EEXIST, 409},
		{-EALREADY, 409}, {-EBADMSG, 422}, {-ENOSPC, 507}, {-EDQUOT, 507}, {-EROFS, 507},
		{-EAGAIN, 503},   {-EIO, 503},     {-EACCES, 401}, {-EPERM, 403},
	};
	unsigned int status = 500;
	json_t *o;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].code == e->code)
			status = map[i].status;
	o = problem(status, e->msg, e->hint);
	if (o && e->fields && e->fields->n)
		(void)json_object_set_new(o, "errors", problem_fields(e->fields));
	reply_json_as(rq, status, "application/problem+json", o);
}

static ssize_t stream_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct http_exchange *rq = cls;
	int64_t n;

	(void)pos;
	if (http_stopping(rq->server))
		return MHD_CONTENT_READER_END_OF_STREAM;
	n = rq->stream.read(rq, rq->stream.state, buf, max);
	if (n == HTTP_STREAM_WAIT)
		return 0;
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

void http_reply_stream(struct http_exchange *rq, unsigned int status, const char *type,
		       struct http_stream stream)
{
	rq->stream = stream;
	send_response(rq, status, type,
		      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read,
							rq, NULL));
}
