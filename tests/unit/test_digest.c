/* Digests, identifiers, ISA names and the clock: the small parts of common/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/digest.h"
#include "common/file.h"
#include "common/id.h"
#include "common/isa.h"

/* FIPS 180-4, the example "abc". */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void sha256_agrees_with_the_standard_in_every_way_it_is_fed(void **state)
{
	uint8_t a[DIGEST_SIZE], b[DIGEST_SIZE];
	struct digest *d = digest_new();
	char hex[DIGEST_HEX_SIZE];
	int fd = file_memfd("abc");

	(void)state;
	assert_int_equal(digest_buf("abc", 3, a), 0);
	digest_hex(a, hex);
	assert_string_equal(hex, ABC);
	assert_non_null(d);
	assert_int_equal(digest_update(d, "a", 1), 0);
	assert_int_equal(digest_update(d, "bc", 2), 0);
	assert_int_equal(digest_final(d, b), 0);
	digest_free(d);
	assert_true(digest_equal(a, b, DIGEST_SIZE));
	assert_int_equal(file_write_all(fd, "abc", 3), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(digest_fd(fd, b), 0);
	close(fd);
	assert_true(digest_equal(a, b, DIGEST_SIZE));
	b[31] ^= 1;
	assert_false(digest_equal(a, b, DIGEST_SIZE));
}

static void only_64_hex_digits_are_a_digest(void **state)
{
	uint8_t d[DIGEST_SIZE];
	char bad[70];

	(void)state;
	assert_int_equal(digest_parse(ABC, d), 0);
	assert_int_equal(d[0], 0xba);
	(void)snprintf(bad, sizeof(bad), "%s0", ABC);
	assert_int_equal(digest_parse(bad, d), -EINVAL);
	(void)snprintf(bad, sizeof(bad), "%.63s", ABC);
	assert_int_equal(digest_parse(bad, d), -EINVAL);
	(void)snprintf(bad, sizeof(bad), "%.63sg", ABC);
	assert_int_equal(digest_parse(bad, d), -EINVAL);
	assert_int_equal(digest_parse("", d), -EINVAL);
}

static void random_ids_are_hex_of_the_asked_length_and_differ(void **state)
{
	char a[33], b[33], small[8];

	(void)state;
	assert_int_equal(id_random(a, sizeof(a), 16), 0);
	assert_int_equal(id_random(b, sizeof(b), 16), 0);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
	assert_int_equal(id_random(small, sizeof(small), 16), -EINVAL);
}

static void isa_names_go_both_ways(void **state)
{
	(void)state;
	assert_int_equal(isa_parse(isa_name(ISA_X86_64)), ISA_X86_64);
	assert_int_equal(isa_parse(isa_name(ISA_AARCH64)), ISA_AARCH64);
	assert_int_equal(isa_parse("arm64"), ISA_AARCH64);
	assert_int_equal(isa_parse("riscv64"), -EINVAL);
	assert_int_equal(isa_parse(""), -EINVAL);
	assert_int_equal(isa_other(ISA_X86_64), ISA_AARCH64);
	assert_int_equal(isa_other(ISA_AARCH64), ISA_X86_64);
}

static void times_are_written_as_rfc_3339(void **state)
{
	char text[32];

	(void)state;
	clock_format(UINT64_C(1700000000123) * NS_PER_MS, text, sizeof(text));
	assert_string_equal(text, "2023-11-14T22:13:20.123Z");
}

static void a_deadline_becomes_what_poll_takes(void **state)
{
	(void)state;
	assert_int_equal(clock_poll_timeout(0), -1);
	assert_int_equal(clock_poll_timeout(1), 0);
	assert_true(clock_poll_timeout(clock_monotonic_ns() + 1000 * NS_PER_S) > 0);
	assert_int_equal(clock_poll_timeout(UINT64_MAX), INT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_agrees_with_the_standard_in_every_way_it_is_fed),
		cmocka_unit_test(only_64_hex_digits_are_a_digest),
		cmocka_unit_test(random_ids_are_hex_of_the_asked_length_and_differ),
		cmocka_unit_test(isa_names_go_both_ways),
		cmocka_unit_test(times_are_written_as_rfc_3339),
		cmocka_unit_test(a_deadline_becomes_what_poll_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
