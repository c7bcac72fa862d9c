/* The HTTP client against a peer on loopback that answers what the test says. */
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
#include <unistd.h>

#include "common/file.h"
#include "common/http_client.h"

struct peer {
	int fd;
	char base[64];
	const char *answer;
	char got[4096];
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct peer *p = arg;
	int c = accept(p->fd, NULL, NULL);
	size_t len = 0;
	ssize_t n;

	if (c < 0)
		return NULL;
	while (len < sizeof(p->got) - 1 && !strstr(p->got, "\r\n\r\n") &&
	       (n = read(c, p->got + len, sizeof(p->got) - 1 - len)) > 0)
		len += (size_t)n;
	file_write_all(c, p->answer, strlen(p->answer));
	shutdown(c, SHUT_WR);
	while (read(c, p->got + len, 1) > 0 && len < sizeof(p->got) - 2)
		len++;
	close(c);
	return NULL;
}

static void start(struct peer *p, const char *answer)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	*p = (struct peer){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer};
	assert_true(p->fd >= 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(p->fd, 4), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &len), 0);
	snprintf(p->base, sizeof(p->base), "http://127.0.0.1:%u", ntohs(a.sin_port));
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void stop(struct peer *p)
{
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	close(p->fd);
}

static void an_answer_in_json_is_parsed_and_the_body_is_sent(void **state)
{
	struct peer p;
	struct http_client *c;
	json_t *in = json_pack("{s:i}", "a", 7), *out = NULL;

	(void)state;
	start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"b\":8}");
	c = http_client_new(p.base, NULL);
	assert_int_equal(http_json(c, "POST", "/v1/x", in, &out, NULL), 0);
	http_client_free(c);
	stop(&p);
	assert_int_equal(json_integer_value(json_object_get(out, "b")), 8);
	assert_non_null(strstr(p.got, "POST /v1/x HTTP/1.1"));
	assert_non_null(strstr(p.got, "{\"a\":7}"));
	json_decref(in);
	json_decref(out);
}

static void a_problem_becomes_an_error_with_its_detail_and_hint(void **state)
{
	struct peer p;
	struct http_client *c;
	struct err e = ERR_INIT;

	(void)state;
	start(&p, "HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\n"
		  "Content-Length: 38\r\n\r\n{\"detail\":\"it ended\",\"hint\":\"look on\"}");
	c = http_client_new(p.base, &e);
	assert_int_equal(http_json(c, "DELETE", "/v1/jobs/1", NULL, NULL, &e), -EEXIST);
	http_client_free(c);
	stop(&p);
	assert_non_null(strstr(e.msg, "it ended"));
	assert_string_equal(e.hint, "look on");
}

static void an_answer_over_the_bound_is_refused(void **state)
{
	struct peer p;
	struct http_client *c;
	struct http_answer a = {0};
	struct http_request r = {.method = "GET", .path = "/", .max_answer = 4};
	struct err e = ERR_INIT;

	(void)state;
	start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345");
	c = http_client_new(p.base, &e);
	assert_int_equal(http_do(c, &r, &a, &e), -EFBIG);
	http_answer_free(&a);
	http_client_free(c);
	stop(&p);
}

static void a_broken_answer_and_an_absent_peer_are_told_apart(void **state)
{
	struct peer p;
	struct http_client *c;
	struct err e = ERR_INIT;

	(void)state;
	start(&p, "");
	c = http_client_new(p.base, &e);
	assert_int_equal(http_json(c, "GET", "/", NULL, NULL, &e), -EPIPE);
	stop(&p); /* now nobody listens there */
	assert_int_equal(http_json(c, "GET", "/", NULL, NULL, &e), -ECONNREFUSED);
	http_client_free(c);
	assert_null(http_client_new("ftp://127.0.0.1:1", &e));
	assert_null(http_client_new("http://127.0.0.1:1/path", &e));
}

static void names_are_escaped_and_delays_grow_within_bounds(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(http_escape(&b, "a/b c%\n"), 0);
	assert_string_equal(buf_cstr(&b), "a%2Fb%20c%25%0A");
	buf_free(&b);
	for (unsigned int n = 0; n < 40; n++) {
		assert_true(http_backoff_ms(n, n * 2654435761u) >= 50);
		assert_true(http_backoff_ms(n, n * 2654435761u) <= 3200);
	}
	assert_true(http_backoff_ms(6, 0) > http_backoff_ms(1, 49));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_json_is_parsed_and_the_body_is_sent),
		cmocka_unit_test(a_problem_becomes_an_error_with_its_detail_and_hint),
		cmocka_unit_test(an_answer_over_the_bound_is_refused),
		cmocka_unit_test(a_broken_answer_and_an_absent_peer_are_told_apart),
		cmocka_unit_test(names_are_escaped_and_delays_grow_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
