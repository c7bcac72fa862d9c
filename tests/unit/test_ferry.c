/* The ferry's wire records, requests and orders: what goes in comes out, breaches are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "migrator/ferry/handoff.h"
#include "migrator/ferry/here.h"
#include "migrator/ferry/serve.h"
#include "migrator/ferry/spec.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static struct handoff_offer offer(void)
{
	struct handoff_offer o = {.isa = ISA_AARCH64,
				  .attempt = 2,
				  .epoch = 7,
				  .image_bytes = 3000000,
				  .log_offset = 99,
				  .points = 12345678901,
				  .cpu_us = {11, 22},
				  .job = "17",
				  .migration = "m5",
				  .sha256 = SHA,
				  .secret = KEY,
				  .frames = 4,
				  .save_us = 55,
				  .frozen_mono_ns = 66,
				  .stdin_offset = 77,
				  .descriptors = 3};

	return o;
}

static void an_offer_comes_out_as_it_went_in(void **state)
{
	struct handoff_offer o = offer(), back;
	uint8_t raw[HANDOFF_OFFER_SIZE];

	(void)state;
	handoff_pack_offer(&o, raw);
	assert_int_equal(handoff_unpack_offer(raw, &back, NULL), 0);
	assert_int_equal(back.isa, o.isa);
	assert_int_equal(back.attempt, 2);
	assert_int_equal(back.epoch, 7);
	assert_int_equal(back.image_bytes, 3000000);
	assert_int_equal(back.log_offset, 99);
	assert_true(back.points == 12345678901);
	assert_int_equal(back.cpu_us[1], 22);
	assert_string_equal(back.job, "17");
	assert_string_equal(back.migration, "m5");
	assert_string_equal(back.sha256, SHA);
	assert_string_equal(back.secret, KEY);
	assert_int_equal(back.stdin_offset, 77);
	/* The bytes are those of the document, whatever this machine's order. */
	assert_memory_equal(raw, "DRVOFFER\1\0\0\0\1\0\0\0\2", 17);
}

static void a_verdict_comes_out_as_it_went_in_and_printable(void **state)
{
	struct handoff_verdict v = {.code = 5, .transfer_us = 6, .load_us = 7, .text = "no\n\x80"};
	struct handoff_verdict back;
	uint8_t raw[HANDOFF_VERDICT_SIZE];

	(void)state;
	handoff_pack_verdict(&v, raw);
	assert_int_equal(handoff_unpack_verdict(raw, &back, NULL), 0);
	assert_int_equal(back.code, 5);
	assert_int_equal(back.load_us, 7);
	assert_string_equal(back.text, "no??");
	raw[0] ^= 1;
	assert_int_equal(handoff_unpack_verdict(raw, &back, NULL), -EPROTO);
}

static void an_offer_of_anything_else_is_refused_without_telling_the_secret(void **state)
{
	struct handoff_offer want = offer(), got;
	struct err e;

	(void)state;
	got = offer();
	assert_int_equal(handoff_agree(&got, &want, 3000000, &e), 0);
	assert_int_equal(handoff_agree(&got, &want, 2999999, &e), -EFBIG);
	got.image_bytes = 0;
	assert_int_equal(handoff_agree(&got, &want, 3000000, &e), -EFBIG);
	got = offer();
	got.secret[63] ^= 1;
	assert_int_equal(handoff_agree(&got, &want, 3000000, &e), -EACCES);
	assert_null(strstr(e.msg, "fedcba"));
	got = offer();
	got.epoch = 6;
	assert_int_equal(handoff_agree(&got, &want, 3000000, &e), -EACCES);
	got = offer();
	got.attempt = 1;
	assert_int_equal(handoff_agree(&got, &want, 3000000, &e), -EACCES);
	got = offer();
	got.sha256[0] = 'f';
	assert_int_equal(handoff_agree(&got, &want, 3000000, &e), -EACCES);
	got = offer();
	strcpy(got.job, "18");
	assert_int_equal(handoff_agree(&got, &want, 3000000, &e), -EACCES);
}

/* ---- a whole exchange over TCP on loopback -------------------------------- */

struct receiver {
	struct transport_listener *l;
	struct handoff_offer want, got;
	atomic_bool stop;
	int image_fd, code;
	struct err e;
};

static void *receive(void *arg)
{
	struct receiver *r = arg;
	struct transport_conn *c = NULL;
	struct handoff_verdict v = {.load_us = 8};
	uint64_t us;

	r->image_fd = -1;
	r->code = handoff_receive(r->l, &r->want, 1u << 26, NULL, &r->stop, &r->got, &r->image_fd,
				  &us, &c, &r->e);
	if (r->code)
		return NULL;
	(void)handoff_answer(c, &v, NULL);
	c->ops->close(c);
	return NULL;
}

static int image_of(size_t len)
{
	int fd = file_memfd("test");
	uint8_t *data = malloc(len);

	assert_true(fd >= 0 && data);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 24);
	assert_int_equal(file_write_all(fd, data, len), 0);
	free(data);
	return fd;
}

static void an_image_arrives_whole_after_strangers_were_turned_away(void **state)
{
	struct receiver r = {.want = offer()};
	struct handoff_offer o = offer(), bad = offer();
	struct handoff_verdict v;
	struct transport_conn *c = NULL;
	struct err e = ERR_INIT;
	char endpoint[64];
	pthread_t t;
	int fd = image_of(3000000);
	uint8_t a[4096], b[4096];

	(void)state;
	assert_int_equal(transport_tcp.listen("127.0.0.1:0", &r.l, endpoint, sizeof(endpoint), &e),
			 0);
	assert_int_equal(pthread_create(&t, NULL, receive, &r), 0);
	/* Garbage, then someone without the secret. */
	assert_int_equal(transport_tcp.connect(endpoint, 1000, NULL, &c, &e), 0);
	memset(a, 0xee, sizeof(a));
	(void)c->ops->send(c, a, 512, 1000, NULL, NULL);
	c->ops->close(c);
	bad.secret[0] ^= 1;
	assert_int_equal(handoff_send(endpoint, &bad, fd, NULL, &v, &c, &e), -EACCES);
	assert_int_equal(handoff_send(endpoint, &o, fd, NULL, &v, &c, &e), 0);
	c->ops->close(c);
	assert_int_equal(v.load_us, 8);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(r.code, 0);
	assert_int_equal(lseek(r.image_fd, 0, SEEK_END), 3000000);
	for (off_t at = 0; at < 3000000; at += 123457) {
		size_t n = at + 4096 <= 3000000 ? 4096 : (size_t)(3000000 - at);

		assert_int_equal(file_pread_all(fd, a, n, at), 0);
		assert_int_equal(file_pread_all(r.image_fd, b, n, at), 0);
		assert_memory_equal(a, b, n);
	}
	close(fd);
	close(r.image_fd);
	transport_tcp.unlisten(r.l);
}

static void a_damaged_image_is_refused_with_the_reason_on_both_sides(void **state)
{
	struct receiver r = {.want = offer()};
	struct handoff_offer o = offer();
	struct handoff_verdict v;
	struct transport_conn *c = NULL;
	struct err e = ERR_INIT;
	uint8_t raw[HANDOFF_OFFER_SIZE], reply[HANDOFF_VERDICT_SIZE];
	char endpoint[64];
	pthread_t t;

	(void)state;
	o.image_bytes = 5;
	assert_int_equal(transport_tcp.listen("127.0.0.1:0", &r.l, endpoint, sizeof(endpoint), &e),
			 0);
	assert_int_equal(pthread_create(&t, NULL, receive, &r), 0);
	assert_int_equal(transport_tcp.connect(endpoint, 1000, NULL, &c, &e), 0);
	handoff_pack_offer(&o, raw);
	assert_int_equal(c->ops->send(c, raw, sizeof(raw), 1000, NULL, &e), 0);
	/* Right length, wrong sum. */
	assert_int_equal(c->ops->send(c, "\5\0\0\0hello", 9, 1000, NULL, &e), 0);
	memset(raw, 7, 32);
	assert_int_equal(c->ops->send(c, raw, 32, 1000, NULL, &e), 0);
	assert_int_equal(c->ops->recv(c, reply, sizeof(reply), 5000, NULL, &e), 0);
	assert_int_equal(handoff_unpack_verdict(reply, &v, &e), 0);
	assert_int_equal(v.code, EBADMSG);
	assert_non_null(strstr(v.text, "damaged"));
	c->ops->close(c);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(r.code, -EBADMSG);
	transport_tcp.unlisten(r.l);
}

static void a_waiting_receiver_stops_when_told(void **state)
{
	struct receiver r = {.want = offer()};
	char endpoint[64];
	pthread_t t;

	(void)state;
	assert_int_equal(
		transport_tcp.listen("127.0.0.1:0", &r.l, endpoint, sizeof(endpoint), NULL), 0);
	assert_int_equal(pthread_create(&t, NULL, receive, &r), 0);
	atomic_store(&r.stop, true);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(r.code, -ECANCELED);
	transport_tcp.unlisten(r.l);
}

/* ---- requests and orders --------------------------------------------------- */

static int request(const char *line, struct serve_request *r, struct err *e)
{
	uint64_t id;

	return serve_parse(line, strlen(line), r, &id, e);
}

static void a_request_is_taken_and_a_breach_is_named(void **state)
{
	struct serve_request r;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(request("{\"id\":3,\"cmd\":\"send\",\"epoch\":4,\"migration\":\"m5\","
				 "\"endpoint\":\"127.0.0.1:1\",\"secret\":\"ab\",\"next_epoch\":5}",
				 &r, &e),
			 0);
	assert_int_equal(r.cmd, FERRY_CMD_SEND);
	assert_int_equal(r.next_epoch, 5);
	assert_string_equal(r.endpoint, "127.0.0.1:1");
	assert_int_equal(request("{\"id\":3,\"cmd\":\"cancel\",\"epoch\":4,\"signal\":9}", &r, &e),
			 0);
	assert_int_equal(r.signal, 9);
	assert_int_equal(request("{\"id\":3,\"cmd\":\"dance\"}", &r, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "cmd"));
	assert_int_equal(request("{\"cmd\":\"status\"}", &r, &e), -EINVAL);
	assert_int_equal(
		request("{\"id\":3,\"cmd\":\"send\",\"epoch\":4,\"next_epoch\":4}", &r, &e),
		-EINVAL);
	assert_int_equal(request("{\"id\":3,\"cmd\":\"cancel\",\"signal\":65}", &r, &e), -EINVAL);
	assert_int_equal(request("nonsense", &r, &e), -EINVAL);
}

static int order(const char *text, struct spec *s, struct err *e)
{
	return spec_parse(text, strlen(text), s, e);
}

static void orders_are_taken_and_a_breach_is_named(void **state)
{
	static const char head[] = "{\"version\":1,\"job\":\"17\",\"attempt\":1,\"epoch\":3,"
				   "\"bundle\":\"/b\",\"sha256\":\"" SHA "\",\"isa\":\"aarch64\","
				   "\"name\":\"is.S\",\"args\":[\"-c\",\"S\"],\"env\":[\"K=V\"],";
	char text[1024];
	struct err e = ERR_INIT;
	struct spec s;

	(void)state;
	snprintf(text, sizeof(text),
		 "%s\"role\":\"receive\",\"migration\":\"m5\",\"listen\":"
		 "\"127.0.0.1:0\",\"stdin\":null,\"max_image_bytes\":0}",
		 head);
	if (order(text, &s, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(s.s.role, FERRY_RECEIVE);
	assert_int_equal(s.s.isa, ISA_AARCH64);
	assert_string_equal(s.s.args[1], "S");
	assert_null(s.s.args[2]);
	assert_string_equal(s.s.env[0], "K=V");
	assert_null(s.s.stdin_path);
	assert_true(s.s.max_image_bytes == SPEC_IMAGE_BYTES);
	spec_free(&s);
	snprintf(text, sizeof(text), "%s\"role\":\"receive\"}", head);
	assert_int_equal(order(text, &s, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "migration"));
	spec_free(&s);
	snprintf(text, sizeof(text), "%s\"role\":\"run\",\"surprise\":1}", head);
	assert_int_equal(order(text, &s, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "surprise"));
	spec_free(&s);
}

/* The name is that of a secret: who knows another one finds nobody, and who knows the name alone is
 * turned away. */
static void descriptors_go_through_the_passage_to_who_knows_the_secret(void **state)
{
	int listener = here_listen(KEY), fd, ends[2];
	struct descriptors given = {.fds = ends, .n = 2}, got = {0};
	atomic_bool stop = false;
	char word[5] = "";

	(void)state;
	assert_true(listener >= 0);
	assert_int_equal(here_listen(KEY), -EADDRINUSE);
	assert_int_equal(here_connect(SHA), -ECONNREFUSED);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "word", 4), 4);
	fd = here_connect(KEY);
	assert_true(fd >= 0);
	assert_int_equal(here_send(fd, SHA, &given, NULL), 0);
	close(fd);
	fd = here_connect(KEY);
	assert_int_equal(here_send(fd, KEY, &given, NULL), 0);
	assert_int_equal(here_receive(listener, KEY, 2, &stop, &got, NULL), 0);
	assert_int_equal(got.n, 2);
	assert_int_equal(read(got.fds[0], word, 4), 4);
	assert_string_equal(word, "word");
	descriptors_drop(&got);
	atomic_store(&stop, true);
	assert_int_equal(here_receive(listener, KEY, 1, &stop, &got, NULL), -ECANCELED);
	close(fd);
	close(listener);
	close(ends[0]);
	close(ends[1]);
}

static void a_late_signal_comes_out_as_it_went_in_and_a_breach_is_named(void **state)
{
	const uint64_t a[4] = {34, 0xffffffff, 7 | 8ull << 32, 99};
	uint8_t raw[HANDOFF_LATE_SIZE];
	uint64_t b[4];

	(void)state;
	handoff_pack_late(a, raw);
	assert_int_equal(handoff_unpack_late(raw, b, NULL), 0);
	assert_memory_equal(a, b, sizeof(a));
	raw[8] = 65;
	assert_int_equal(handoff_unpack_late(raw, b, NULL), -EPROTO);
	raw[8] = 0;
	assert_int_equal(handoff_unpack_late(raw, b, NULL), -EPROTO);
	raw[8] = 34;
	raw[0]++;
	assert_int_equal(handoff_unpack_late(raw, b, NULL), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_comes_out_as_it_went_in),
		cmocka_unit_test(a_verdict_comes_out_as_it_went_in_and_printable),
		cmocka_unit_test(an_offer_of_anything_else_is_refused_without_telling_the_secret),
		cmocka_unit_test(an_image_arrives_whole_after_strangers_were_turned_away),
		cmocka_unit_test(a_damaged_image_is_refused_with_the_reason_on_both_sides),
		cmocka_unit_test(a_waiting_receiver_stops_when_told),
		cmocka_unit_test(descriptors_go_through_the_passage_to_who_knows_the_secret),
		cmocka_unit_test(a_late_signal_comes_out_as_it_went_in_and_a_breach_is_named),
		cmocka_unit_test(a_request_is_taken_and_a_breach_is_named),
		cmocka_unit_test(orders_are_taken_and_a_breach_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
