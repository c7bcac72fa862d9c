/* Files: bounds, atomic replacement, directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

static char dir[256];

static int setup(void **state)
{
	(void)state;
	return file_temp_dir("test-file", dir, sizeof(dir), NULL);
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(dir, NULL);
}

static const char *in_dir(const char *name)
{
	static char path[512];

	assert_int_equal(file_join(path, sizeof(path), dir, name), 0);
	return path;
}

static void what_is_written_is_read_back(void **state)
{
	_cleanup_buf_ struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(file_write_atomic(in_dir("f"), "one", 3, 0600, NULL), 0);
	assert_int_equal(file_write_atomic(in_dir("f"), "two!", 4, 0600, NULL), 0);
	assert_int_equal(file_read(in_dir("f"), &b, NULL), 0);
	assert_string_equal(buf_cstr(&b), "two!");
	buf_reset(&b);
	assert_int_equal(file_write(in_dir("f"), "3", 1, 0600, NULL), 0);
	assert_int_equal(file_read(in_dir("f"), &b, NULL), 0);
	assert_string_equal(buf_cstr(&b), "3");
	assert_int_equal(file_write(in_dir("none/f"), "3", 1, 0600, NULL), -ENOENT);
}

static void a_file_may_fill_the_bound_but_not_pass_it(void **state)
{
	_cleanup_buf_ struct buf fits, small;
	struct err e = ERR_INIT;

	(void)state;
	buf_init(&fits, 4);
	buf_init(&small, 3);
	assert_int_equal(file_write_atomic(in_dir("g"), "1234", 4, 0600, NULL), 0);
	assert_int_equal(file_read(in_dir("g"), &fits, &e), 0);
	assert_int_equal(file_read(in_dir("g"), &small, &e), -EFBIG);
	assert_non_null(strstr(e.msg, "/g is larger than 3 bytes"));
}

static void a_failed_write_leaves_nothing_behind(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_mkdir_p(in_dir("sub"), 0700, NULL), 0);
	/* A directory can't be replaced by a file: the temporary one must go. */
	assert_true(file_write_atomic(in_dir("sub"), "x", 1, 0600, &e) < 0);
	assert_int_equal(rmdir(in_dir("sub")), 0);
	assert_true(file_write_atomic(in_dir("none/x"), "x", 1, 0600, &e) < 0);
	assert_non_null(strstr(e.msg, "none/x"));
}

static void parents_are_made_and_trees_removed_without_following_links(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(file_mkdir_p(in_dir("a/b/c"), 0700, NULL), 0);
	assert_int_equal(file_mkdir_p(in_dir("a/b/c"), 0700, NULL), 0);
	assert_int_equal(file_write_atomic(in_dir("a/b/c/f"), "x", 1, 0600, NULL), 0);
	assert_int_equal(file_write_atomic(in_dir("outside"), "x", 1, 0600, NULL), 0);
	assert_int_equal(symlink("../../outside", in_dir("a/b/link")), 0);
	assert_int_equal(file_mkdir_p(in_dir("outside/x"), 0700, NULL), -ENOTDIR);
	assert_int_equal(file_remove_tree(in_dir("a"), NULL), 0);
	assert_int_equal(stat(in_dir("a"), &st), -1);
	assert_int_equal(stat(in_dir("outside"), &st), 0);
	assert_int_equal(file_remove_tree(in_dir("a"), NULL), 0);
}

static void reading_past_the_end_says_so(void **state)
{
	int fd = file_memfd("m");
	char got[8];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, "abcd", 4), 0);
	assert_int_equal(file_pread_all(fd, got, 4, 0), 0);
	assert_int_equal(file_pread_all(fd, got, 4, 1), -ENODATA);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(file_read_all(fd, got, 5), -ENODATA);
	close(fd);
}

static void an_unnamed_file_is_on_the_disk_of_its_directory_and_leaves_nothing_there(void **state)
{
	struct stat parent, file;
	int fd = file_unnamed(in_dir("."), "x");

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(stat(in_dir("."), &parent), 0);
	assert_int_equal(fstat(fd, &file), 0);
	assert_int_equal(file.st_dev, parent.st_dev);
	assert_int_equal(file.st_nlink, 0);
	assert_int_equal(file_write_all(fd, "abcd", 4), 0);
	close(fd);
	assert_int_equal(file_unnamed(in_dir("missing"), "x"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(a_file_may_fill_the_bound_but_not_pass_it),
		cmocka_unit_test(a_failed_write_leaves_nothing_behind),
		cmocka_unit_test(parents_are_made_and_trees_removed_without_following_links),
		cmocka_unit_test(reading_past_the_end_says_so),
		cmocka_unit_test(
			an_unnamed_file_is_on_the_disk_of_its_directory_and_leaves_nothing_there),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
