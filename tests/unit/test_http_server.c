/* The HTTP server, spoken to over plain sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "common/file.h"
#include "common/http_server.h"
#include "common/json.h"

#define CHANNEL 77

static struct http_server *server;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int value, parked, stream_left, streams_freed;

static void echo(struct http_exchange *rq, void *ctx)
{
	size_t len;
	const void *body = http_body(rq, &len);

	(void)ctx;
	http_add_header(rq, "X-Param", http_param(rq, "name"));
	http_reply_bytes(rq, 200, "text/plain", body, len);
}

static void size_of_file(struct http_exchange *rq, void *ctx)
{
	uint64_t len;
	int fd = http_body_fd(rq, &len);
	char first = 0;

	(void)ctx;
	assert_true(fd >= 0 && read(fd, &first, 1) == 1 && first == 'x');
	http_reply_json(rq, 200, json_pack("{s:I}", "size", (json_int_t)len));
}

/* Waits until value isn't 0. */
static void wait_value(struct http_exchange *rq, void *ctx)
{
	(void)ctx;
	pthread_mutex_lock(&lock);
	if (value || http_expired(rq)) {
		http_reply_json(rq, 200, json_pack("{s:i}", "value", value));
	} else {
		parked++;
		http_park(rq, CHANNEL, strcmp(http_param(rq, "ms"), "long") ? 50 : 60000);
	}
	pthread_mutex_unlock(&lock);
}

static int64_t stream_read(struct http_exchange *rq, void *state, char *buf, size_t max)
{
	int64_t n;

	(void)state;
	(void)max;
	pthread_mutex_lock(&lock);
	if (stream_left == 0) {
		parked++;
		http_stream_park(rq, CHANNEL, 60000);
		n = HTTP_STREAM_WAIT;
	} else {
		n = stream_left-- > 0 ? 5 : HTTP_STREAM_END;
		memcpy(buf, "piece", 5);
	}
	pthread_mutex_unlock(&lock);
	return n;
}

static void stream_free(void *state)
{
	(void)state;
	streams_freed++;
}

static void stream(struct http_exchange *rq, void *ctx)
{
	(void)ctx;
	http_reply_stream(rq, 200, "text/plain",
			  (struct http_stream){stream_read, stream_free, NULL});
}

static char files[] = "/tmp/drover-static.XXXXXX";

static void static_file(struct http_exchange *rq, void *ctx)
{
	(void)ctx;
	http_reply_static(rq, files, http_param(rq, "path"));
}

static void tagged(struct http_exchange *rq, void *ctx)
{
	_cleanup_json_ json_t *now = json_pack("{s:i}", "value", value);

	(void)ctx;
	if (http_if_match(rq, now))
		http_reply_json(rq, 200, json_incref(now));
}

static const struct http_route routes[] = {
	{"GET", "/ui/{path...}", 0, HTTP_BODY_NONE, 0, static_file},
	{"GET", "/tagged", 0, HTTP_BODY_NONE, 0, tagged},
	{"PUT", "/tagged", 0, HTTP_BODY_MEMORY, 100, tagged},
	{"POST", "/echo/{name}/end", 0, HTTP_BODY_MEMORY, 100, echo},
	{"PUT", "/file", 0, HTTP_BODY_FILE, 1000000, size_of_file},
	{"GET", "/wait/{ms}", 0, HTTP_BODY_NONE, 0, wait_value},
	{"GET", "/stream", 0, HTTP_BODY_NONE, 0, stream},
};

static int setup(void **state)
{
	const struct http_server_config cfg = {.listen = "127.0.0.1:0",
					       .routes = routes,
					       .nroutes = ARRAY_SIZE(routes),
					       .threads = 3};

	(void)state;
	value = parked = stream_left = streams_freed = 0;
	return http_server_start(&server, &cfg, NULL);
}

static int teardown(void **state)
{
	(void)state;
	http_server_stop(server);
	server = NULL;
	return 0;
}

static int dial(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons(http_server_port(server))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* All of the answer up to the end of the connection. */
static void read_answer(int fd, char *out, size_t size)
{
	size_t n = 0;
	ssize_t r;

	while (n < size - 1 && (r = read(fd, out + n, size - 1 - n)) > 0)
		n += (size_t)r;
	out[n] = '\0';
	close(fd);
}

static void ask(const char *method, const char *path, const char *body, size_t len, char *out,
		size_t size)
{
	char head[512];
	int fd = dial(), n;

	n = snprintf(
		head, sizeof(head),
		"%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
		method, path, len);
	assert_int_equal(file_write_all(fd, head, (size_t)n), 0);
	(void)file_write_all(fd, body, len); /* may be refused before it is read */
	read_answer(fd, out, size);
}

static int begin(const char *path)
{
	char head[256];
	int fd = dial(), n;

	n = snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		     path);
	assert_int_equal(file_write_all(fd, head, (size_t)n), 0);
	return fd;
}

static void await_parked(int n)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		if (parked >= n)
			break;
		pthread_mutex_unlock(&lock);
		usleep(1000);
	}
	pthread_mutex_unlock(&lock);
}

static void a_route_gets_its_parameters_and_body(void **state)
{
	char out[4096];

	(void)state;
	ask("POST", "/echo/some-name/end", "hello", 5, out, sizeof(out));
	assert_non_null(strstr(out, "HTTP/1.1 200"));
	assert_non_null(strstr(out, "X-Param: some-name"));
	assert_non_null(strstr(out, "\r\n\r\nhello"));
}

static void what_is_not_offered_is_told_as_a_problem(void **state)
{
	char out[4096];

	(void)state;
	ask("GET", "/nothing", "", 0, out, sizeof(out));
	assert_non_null(strstr(out, "HTTP/1.1 404"));
	assert_non_null(strstr(out, "application/problem+json"));
	ask("POST", "/echo//end", "", 0, out, sizeof(out));
	assert_non_null(strstr(out, "HTTP/1.1 404"));
	ask("DELETE", "/stream", "", 0, out, sizeof(out));
	assert_non_null(strstr(out, "HTTP/1.1 405"));
	assert_non_null(strstr(out, "Allow: GET"));
}

static void a_body_over_its_bound_is_refused(void **state)
{
	static char body[4096];
	char out[4096], chunked[512];
	int fd;

	(void)state;
	ask("POST", "/echo/a/end", body, 101, out, sizeof(out));
	assert_non_null(strstr(out, "HTTP/1.1 413"));
	ask("GET", "/stream", body, 1, out, sizeof(out));
	assert_non_null(strstr(out, "HTTP/1.1 413"));
	/* Without a length in advance. */
	fd = dial();
	(void)snprintf(chunked, sizeof(chunked),
		       "POST /echo/a/end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n96\r\n%0150d\r\n0\r\n\r\n",
		       7);
	assert_int_equal(file_write_all(fd, chunked, strlen(chunked)), 0);
	read_answer(fd, out, sizeof(out));
	assert_non_null(strstr(out, "HTTP/1.1 413"));
}

static void a_large_body_is_spooled(void **state)
{
	char out[4096], *body = malloc(500000);

	(void)state;
	memset(body, 'x', 500000);
	ask("PUT", "/file", body, 500000, out, sizeof(out));
	assert_non_null(strstr(out, "{\"size\":500000}"));
	free(body);
}

static void a_parked_request_is_answered_when_woken(void **state)
{
	char out[4096];
	int fd = begin("/wait/long");

	(void)state;
	await_parked(1);
	http_server_wake(server, CHANNEL + 1); /* somebody else's */
	pthread_mutex_lock(&lock);
	value = 42;
	http_server_wake(server, CHANNEL);
	pthread_mutex_unlock(&lock);
	read_answer(fd, out, sizeof(out));
	assert_non_null(strstr(out, "{\"value\":42}"));
}

static void a_parked_request_is_answered_at_its_deadline(void **state)
{
	char out[4096];
	int fd = begin("/wait/short");

	(void)state;
	read_answer(fd, out, sizeof(out));
	assert_non_null(strstr(out, "{\"value\":0}"));
}

static void a_stream_goes_on_when_woken_and_is_freed(void **state)
{
	char out[4096];
	int fd = begin("/stream");

	(void)state;
	await_parked(1);
	pthread_mutex_lock(&lock);
	stream_left = 2;
	http_server_wake(server, CHANNEL);
	pthread_mutex_unlock(&lock);
	await_parked(2);
	pthread_mutex_lock(&lock);
	stream_left = -1;
	http_server_wake(server, CHANNEL);
	pthread_mutex_unlock(&lock);
	read_answer(fd, out, sizeof(out));
	assert_non_null(strstr(out, "piece"));
	http_server_stop(server);
	server = NULL;
	assert_int_equal(streams_freed, 1);
}

static void stopping_ends_what_is_parked(void **state)
{
	char out[4096];
	int fd = begin("/wait/long"), fd2;

	(void)state;
	await_parked(1);
	fd2 = begin("/stream");
	await_parked(2);
	http_server_stop(server);
	server = NULL;
	read_answer(fd, out, sizeof(out));
	read_answer(fd2, out, sizeof(out));
	assert_int_equal(streams_freed, 1);
}

/* The answer to a GET with further header lines. */
static void get_with(const char *method, const char *path, const char *lines, char *out,
		     size_t size)
{
	char head[1024];
	int fd = dial(), n;

	n = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
		     method, path, lines);
	assert_int_equal(file_write_all(fd, head, (size_t)n), 0);
	read_answer(fd, out, size);
}

static void put_file(const char *name, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", files, name);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static void remove_file(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", files, name);
	assert_int_equal(unlink(path), 0);
}

static void files_are_served_with_type_tag_and_policy(void **state)
{
	char out[8192], lines[256], *tag;

	(void)state;
	assert_non_null(mkdtemp(files));
	put_file("app.js", "let a = 1;");
	put_file("app.js.gz", "packed");
	put_file(".secret", "no");
	get_with("GET", "/ui/app.js", "", out, sizeof(out));
	assert_non_null(strstr(out, " 200 "));
	assert_non_null(strstr(out, "text/javascript"));
	assert_non_null(strstr(out, "default-src 'none'"));
	assert_non_null(strstr(out, "frame-ancestors 'none'"));
	assert_non_null(strstr(out, "nosniff"));
	assert_non_null(strstr(out, "let a = 1;"));
	tag = strstr(out, "ETag: ");
	assert_non_null(tag);
	(void)snprintf(lines, sizeof(lines), "If-None-Match: %.*s\r\n", (int)strcspn(tag + 6, "\r"),
		       tag + 6);
	get_with("GET", "/ui/app.js", lines, out, sizeof(out));
	assert_non_null(strstr(out, " 304 "));
	get_with("GET", "/ui/app.js", "Accept-Encoding: br, gzip\r\n", out, sizeof(out));
	assert_non_null(strstr(out, "Content-Encoding: gzip"));
	assert_non_null(strstr(out, "\r\n\r\npacked"));
	static const char *const bad[] = {"/ui/.secret", "/ui/../etc/passwd", "/ui/%2e%2e/x",
					  "/ui/",        "/ui/x//y",          "/ui/absent.js",
					  "/ui/a%00b"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		get_with("GET", bad[i], "", out, sizeof(out));
		assert_non_null(strstr(out, " 404 "));
	}
	remove_file("app.js");
	remove_file("app.js.gz");
	remove_file(".secret");
	assert_int_equal(rmdir(files), 0);
	strcpy(files + strlen(files) - 6, "XXXXXX");
}

static void a_range_of_a_file_is_served_alone(void **state)
{
	static const struct {
		const char *range, *status, *says, *body;
	} cases[] = {
		{"bytes=2-4", " 206 ", "Content-Range: bytes 2-4/10", "\r\n\r\n234"},
		{"bytes=7-", " 206 ", "Content-Range: bytes 7-9/10", "\r\n\r\n789"},
		{"bytes=-2", " 206 ", "Content-Range: bytes 8-9/10", "\r\n\r\n89"},
		{"bytes=-20", " 206 ", "Content-Range: bytes 0-9/10", "\r\n\r\n0123456789"},
		{"bytes=8-100", " 206 ", "Content-Range: bytes 8-9/10", "\r\n\r\n89"},
		{"bytes=10-", " 416 ", "Content-Range: bytes */10", "problem"},
		{"bytes=-0", " 416 ", "Content-Range: bytes */10", "problem"},
		{"bytes=4-2", " 200 ", "Accept-Ranges: bytes", "\r\n\r\n0123456789"},
		{"bytes=0-1,3-4", " 200 ", "Accept-Ranges: bytes", "\r\n\r\n0123456789"},
		{"lines=0-1", " 200 ", "Accept-Ranges: bytes", "\r\n\r\n0123456789"},
		{"bytes=99999999999999999999-", " 200 ", "Accept-Ranges: bytes", "\r\n\r\n012"},
	};
	char out[8192], lines[128];

	(void)state;
	assert_non_null(mkdtemp(files));
	put_file("ten", "0123456789");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(lines, sizeof(lines), "Range: %s\r\n", cases[i].range);
		get_with("GET", "/ui/ten", lines, out, sizeof(out));
		assert_non_null(strstr(out, cases[i].status));
		assert_non_null(strstr(out, cases[i].says));
		assert_non_null(strstr(out, cases[i].body));
	}
	remove_file("ten");
	assert_int_equal(rmdir(files), 0);
	strcpy(files + strlen(files) - 6, "XXXXXX");
}

static void an_entity_tag_saves_the_answer_and_guards_a_change(void **state)
{
	char out[4096], tag[64], lines[160];
	const char *at;

	(void)state;
	get_with("GET", "/tagged", "", out, sizeof(out));
	at = strstr(out, "ETag: ");
	assert_non_null(at);
	(void)snprintf(tag, sizeof(tag), "%.*s", (int)strcspn(at + 6, "\r"), at + 6);
	(void)snprintf(lines, sizeof(lines), "If-None-Match: W/\"x\", %s\r\n", tag);
	get_with("GET", "/tagged", lines, out, sizeof(out));
	assert_non_null(strstr(out, " 304 "));
	(void)snprintf(lines, sizeof(lines), "If-Match: %s\r\nContent-Length: 0\r\n", tag);
	get_with("PUT", "/tagged", lines, out, sizeof(out));
	assert_non_null(strstr(out, " 200 "));
	value = 1;
	get_with("PUT", "/tagged", lines, out, sizeof(out));
	assert_non_null(strstr(out, " 412 "));
	(void)snprintf(lines, sizeof(lines), "If-None-Match: %s\r\n", tag);
	get_with("GET", "/tagged", lines, out, sizeof(out));
	assert_non_null(strstr(out, " 200 "));
}

static void only_loopback_addresses_are_served(void **state)
{
	struct http_server_config cfg = {.listen = "0.0.0.0:0"};
	struct http_server *s;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(http_server_start(&s, &cfg, &e), -EACCES);
	assert_true(e.hint[0]);
	cfg.listen = "127.0.0.1";
	assert_int_equal(http_server_start(&s, &cfg, &e), -EINVAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_route_gets_its_parameters_and_body),
		T(what_is_not_offered_is_told_as_a_problem),
		T(a_body_over_its_bound_is_refused),
		T(a_large_body_is_spooled),
		T(a_parked_request_is_answered_when_woken),
		T(a_parked_request_is_answered_at_its_deadline),
		T(a_stream_goes_on_when_woken_and_is_freed),
		T(stopping_ends_what_is_parked),
		T(files_are_served_with_type_tag_and_policy),
		T(a_range_of_a_file_is_served_alone),
		T(an_entity_tag_saves_the_answer_and_guards_a_change),
		cmocka_unit_test(only_loopback_addresses_are_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
