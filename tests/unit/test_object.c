#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "binaries/object/object.h"
#include "common/file.h"

static char dir[PATH_MAX];

static int make_dir(void **state)
{
	(void)state;
	return file_temp_dir("test-object", dir, sizeof dir, NULL);
}

static int remove_dir(void **state)
{
	(void)state;
	return file_remove_tree(dir, NULL);
}

/* Writes an object that defines DEFINED and needs `puts`. */
static void write_object(const char *path, const char *defined)
{
	static const char bitcode[] = "BC\xc0\xde and more";
	struct object o = {.source = (char *)"dir/a.c"};
	struct err e = ERR_INIT;
	char calls[256];

	snprintf(calls, sizeof calls, "V 1\nD %s G 3 p\nG %s T 10\nG table R 64\nG puts U 0\n",
		 defined, defined);
	o.bitcode[0] = o.bitcode[1] = (struct object_part){bitcode, sizeof bitcode};
	o.calls = (struct object_part){calls, strlen(calls)};
	strv_add(&o.options, "-O2");
	strv_add(&o.options, "-g");
	assert_int_equal(summary_parse(&o.summary, calls, strlen(calls), &e), 0);
	assert_int_equal(object_write(path, &o, &e), 0);
	summary_free(&o.summary);
	strv_free(&o.options);
}

static void what_is_written_is_read_back(void **state)
{
	char path[PATH_MAX + 16];
	struct err e = ERR_INIT;
	struct object o;
	void *data;
	size_t len;

	(void)state;
	snprintf(path, sizeof path, "%s/a.o", dir);
	write_object(path, "main");
	assert_int_equal(object_load(path, &data, &len, &e), 0);
	assert_true(object_is(data, len));
	assert_int_equal(object_read(&o, data, len, path, &e), 0);
	assert_string_equal(o.source, "dir/a.c");
	assert_int_equal(o.options.n, 2);
	assert_string_equal(o.options.v[0], "-O2");
	assert_int_equal(o.summary.nsymbols, 3);
	assert_memory_equal(o.bitcode[ISA_AARCH64].data, "BC\xc0\xde", 4);
	object_free(&o);
	free(data);
}

static void damage_anywhere_is_refused_or_harmless(void **state)
{
	char path[PATH_MAX + 16];
	struct err e = ERR_INIT;
	char *copy;
	void *data;
	size_t len;

	(void)state;
	snprintf(path, sizeof path, "%s/a.o", dir);
	write_object(path, "main");
	assert_int_equal(object_load(path, &data, &len, &e), 0);
	copy = malloc(len);
	assert_non_null(copy);
	for (size_t i = 0; i < len; i++) {
		struct object o;

		memcpy(copy, data, len);
		copy[i] ^= (char)0x5a;
		if (object_read(&o, copy, len, path, &e) == 0)
			object_free(&o);
		assert_true(object_read(&o, data, i, path, &e) < 0);
	}
	free(copy);
	free(data);
}

static void another_file_is_refused_with_what_to_do(void **state)
{
	struct err e = ERR_INIT;
	struct object o;

	(void)state;
	assert_false(object_is("hello", 5));
	assert_true(object_read(&o, "hello", 5, "hello.o", &e) < 0);
	assert_non_null(strstr(e.msg, "hello.o"));
	assert_non_null(strstr(e.hint, "drover-cc -c"));
}

/* Runs `ar crs` on the objects. */
static void make_archive(const char *archive, const char *a, const char *b)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		execlp("ar", "ar", "crs", archive, a, b, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void archives_of_objects_have_members_and_an_index(void **state)
{
	char a[PATH_MAX + 32], b[PATH_MAX + 32], lib[PATH_MAX + 32];
	struct err e = ERR_INIT;
	struct strv symbols = {0};
	struct archive ar;

	(void)state;
	snprintf(a, sizeof a, "%s/first.o", dir);
	snprintf(b, sizeof b, "%s/a_rather_long_member_name.o", dir);
	snprintf(lib, sizeof lib, "%s/libx.a", dir);
	write_object(a, "first");
	write_object(b, "second");
	make_archive(lib, a, b);
	assert_int_equal(archive_read(&ar, lib, &e), 0);
	assert_int_equal(ar.n, 2);
	assert_string_equal(ar.members[1].name, "a_rather_long_member_name.o");
	assert_true(object_is(ar.members[1].data, ar.members[1].len));
	assert_int_equal(archive_symbols(&ar, &symbols, &e), 0);
	assert_true(strv_has(&symbols, "first") && strv_has(&symbols, "second"));
	assert_false(strv_has(&symbols, "puts"));
	strv_free(&symbols);
	archive_free(&ar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(damage_anywhere_is_refused_or_harmless),
		cmocka_unit_test(another_file_is_refused_with_what_to_do),
		cmocka_unit_test(archives_of_objects_have_members_and_an_index),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
