#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binaries/driver/options.h"

static int parse(struct options *o, struct err *e, const char *line)
{
	char *copy = strdup(line), *save = NULL, *argv[32];
	int n = 0, r;

	assert_non_null(copy);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	r = options_parse(o, n, argv, e);
	free(copy);
	return r;
}

static void code_generation_options_are_kept_for_the_link(void **state)
{
	struct err e = ERR_INIT;
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &e, "-c -O2 -g -Wall -Ilib -I more -DX=1 -fwrapv a.c -o b.o"),
			 0);
	assert_int_equal(o.mode, MODE_COMPILE);
	assert_string_equal(o.output, "b.o");
	assert_int_equal(o.ninputs, 1);
	assert_int_equal(o.inputs[0].kind, INPUT_C);
	assert_true(strv_has(&o.codegen, "-O2") && strv_has(&o.codegen, "-g") &&
		    strv_has(&o.codegen, "-fwrapv"));
	assert_false(strv_has(&o.codegen, "-Wall"));
	assert_true(strv_has(&o.front, "-Wall") && strv_has(&o.front, "-Ilib") &&
		    strv_has(&o.front, "more") && strv_has(&o.front, "-DX=1"));
	options_free(&o);
}

static void inputs_keep_their_order_and_kind(void **state)
{
	struct err e = ERR_INIT;
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &e, "a.o -lz b.c -L dir libc.a -x c odd.txt -x none d.o"), 0);
	assert_int_equal(o.mode, MODE_LINK);
	assert_int_equal(o.ninputs, 6);
	assert_int_equal(o.inputs[0].kind, INPUT_BINARY);
	assert_int_equal(o.inputs[1].kind, INPUT_LIBRARY);
	assert_string_equal(o.inputs[1].name, "z");
	assert_int_equal(o.inputs[2].kind, INPUT_C);
	assert_int_equal(o.inputs[4].kind, INPUT_C);
	assert_int_equal(o.inputs[5].kind, INPUT_BINARY);
	assert_true(strv_has(&o.libdirs, "dir"));
	options_free(&o);
}

static void what_is_for_one_isa_is_refused_with_the_reason(void **state)
{
	static const char *const bad[] = {"-march=native a.c",
					  "-msse2 a.c",
					  "a.s",
					  "a.cpp",
					  "--target=x a.c",
					  "-fsanitize=address a.c",
					  "-nostdlib a.c",
					  "-x c++ a.c",
					  "-Wl,-Ttext=0 a.c",
					  "-o"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;
		struct options o;

		assert_true(parse(&o, &e, bad[i]) < 0);
		assert_true(e.msg[0] != '\0');
	}
}

static void harmless_options_are_taken_without_effect(void **state)
{
	struct err e = ERR_INIT;
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &e,
			       "-fPIC -static -pie -pthread -pipe -fstack-protector-strong "
			       "-Wl,--as-needed,-z,relro a.c"),
			 0);
	assert_int_equal(o.front.n, 0);
	assert_int_equal(o.codegen.n, 0);
	assert_int_equal(o.linker.n, 0);
	options_free(&o);
	assert_int_equal(parse(&o, &e, "-fcommon a.c"), 0);
	assert_int_equal(o.ignored.n, 1);
	options_free(&o);
}

static void options_of_loading_at_run_time_mean_nothing_to_the_linker(void **state)
{
	struct err e = ERR_INIT;
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &e,
			       "-shared -Wl,-soname -Wl,libx.so.1 -Wl,-rpath,/usr/lib,-z,defs "
			       "-Xlinker --version-script=x.map -Wl,-s a.o"),
			 0);
	assert_int_equal(o.mode, MODE_SHARED);
	assert_int_equal(o.ninputs, 1);
	assert_int_equal(o.linker.n, 1);
	options_free(&o);
	assert_int_equal(parse(&o, &e, "-c -shared a.c"), 0);
	assert_int_equal(o.mode, MODE_COMPILE);
	options_free(&o);
	assert_true(parse(&o, &e, "-Wl,-z,execstack a.o") < 0);
}

static void archives_are_whole_between_the_marks(void **state)
{
	struct err e = ERR_INIT;
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &e,
			       "-Wl,--whole-archive a.a -lb -Wl,--no-whole-archive c.a -u f "
			       "-Wl,--undefined=g"),
			 0);
	assert_int_equal(o.ninputs, 3);
	assert_true(o.inputs[0].whole && o.inputs[1].whole && !o.inputs[2].whole);
	assert_true(strv_has(&o.undefined, "f") && strv_has(&o.undefined, "g"));
	options_free(&o);
}

static void dependency_options_go_to_one_run_only(void **state)
{
	struct err e = ERR_INIT;
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, &e, "-c -MMD -MP -MF x.d -MT y a.c"), 0);
	assert_true(o.deps && o.dep_target);
	assert_string_equal(o.dep_file, "x.d");
	assert_true(strv_has(&o.dep_options, "-MMD") && strv_has(&o.dep_options, "y"));
	assert_int_equal(o.front.n, 0);
	options_free(&o);
}

static void one_output_cannot_be_of_two_objects(void **state)
{
	struct err e = ERR_INIT;
	struct options o;

	(void)state;
	assert_true(parse(&o, &e, "-c a.c b.c -o c.o") < 0);
}

static enum warn_level level_after(const char *const *args, int n, enum warn_group g)
{
	struct options o;
	struct err e = ERR_INIT;
	enum warn_level level;

	assert_int_equal(options_parse(&o, n, (char *const *)(uintptr_t)args, &e), 0);
	level = warnings_level(&o.groups, g);
	options_free(&o);
	return level;
}

static void groups_of_messages_turn_on_off_and_into_errors(void **state)
{
	static const char *const off[] = {"-Wno-drover-never-migrates"},
				 *const all[] = {"-Wdrover"}, *const error[] = {"-Werror"},
				 *const kept[] = {"-Wno-error=drover", "-Werror"},
				 *const one[] = {"-Werror=drover-waits"},
				 *const none[] = {"-w", "-Wno-drover"};

	(void)state;
	assert_int_equal(level_after(NULL, 0, WARN_NEVER_MIGRATES), WARN_ON);
	assert_int_equal(level_after(NULL, 0, WARN_WAITS), WARN_OFF);
	assert_int_equal(level_after(off, 1, WARN_NEVER_MIGRATES), WARN_OFF);
	assert_int_equal(level_after(all, 1, WARN_WAITS), WARN_ON);
	assert_int_equal(level_after(error, 1, WARN_NEVER_MIGRATES), WARN_ERROR);
	assert_int_equal(level_after(kept, 2, WARN_NEVER_MIGRATES), WARN_ON);
	assert_int_equal(level_after(one, 1, WARN_WAITS), WARN_ERROR);
	assert_int_equal(level_after(one, 1, WARN_FAST_MATH), WARN_ON);
	assert_int_equal(level_after(none, 2, WARN_FAST_MATH), WARN_OFF);
	assert_int_equal(level_after(none, 2, WARN_UNSUPPORTED), WARN_ERROR);
}

static void an_unknown_group_is_refused(void **state)
{
	const char *const args[] = {"-Wdrover-nothing"};
	struct options o;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(options_parse(&o, 1, (char *const *)(uintptr_t)args, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "-Wdrover-nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_generation_options_are_kept_for_the_link),
		cmocka_unit_test(inputs_keep_their_order_and_kind),
		cmocka_unit_test(what_is_for_one_isa_is_refused_with_the_reason),
		cmocka_unit_test(harmless_options_are_taken_without_effect),
		cmocka_unit_test(options_of_loading_at_run_time_mean_nothing_to_the_linker),
		cmocka_unit_test(archives_are_whole_between_the_marks),
		cmocka_unit_test(dependency_options_go_to_one_run_only),
		cmocka_unit_test(one_output_cannot_be_of_two_objects),
		cmocka_unit_test(groups_of_messages_turn_on_off_and_into_errors),
		cmocka_unit_test(an_unknown_group_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
