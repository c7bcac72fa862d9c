#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binaries/link/migrate.h"

#define MODULES_MAX 3

/* The decision over modules given as summaries, as one text. */
static char *decide(const char *const *texts, size_t n)
{
	static const char *const ids[MODULES_MAX] = {"m000", "m001", "m002"};
	struct migrate_module mods[MODULES_MAX];
	struct summary s[MODULES_MAX];
	struct buf out = {.max = 1u << 16};
	struct err e = ERR_INIT;
	char *text;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(summary_parse(&s[i], texts[i], strlen(texts[i]), &e), 0);
		mods[i] = (struct migrate_module){ids[i], &s[i]};
	}
	assert_int_equal(migrate_decide(mods, n, &out, &e), 0);
	for (size_t i = 0; i < n; i++)
		summary_free(&s[i]);
	text = strdup(buf_cstr(&out));
	buf_free(&out);
	assert_non_null(text);
	return text;
}

static void expect(const char *const *texts, size_t n, const char *want)
{
	char *got = decide(texts, n);

	assert_string_equal(got, want);
	free(got);
}

static void callers_of_a_poll_migrate_across_files(void **state)
{
	static const char *const m[] = {
		"V 1\nD main G 1 -\nC middle\nD aside G 9 -\nC puts\n",
		"V 1\nD middle G 1 -\nC leaf\n",
		"V 1\nD leaf G 1 p\n",
	};

	(void)state;
	expect(m, 3, "main\nmiddle\nleaf\n");
}

static void a_local_function_hides_a_global_one_of_its_name(void **state)
{
	static const char *const m[] = {
		"V 1\nD main G 1 -\nC work\nD work L 2 -\n",
		"V 1\nD work G 1 p\nD other G 2 -\nC work\n",
	};

	(void)state;
	expect(m, 2, "work\nother\n");
}

static void a_local_function_is_named_with_its_module(void **state)
{
	static const char *const m[] = {"V 1\nD main G 1 -\n", "V 1\nD loop L 1 p\n"};

	(void)state;
	expect(m, 2, "loop.m001\n");
}

static void an_indirect_call_reaches_functions_of_its_type(void **state)
{
	static const char *const m[] = {
		"V 1\nD main G 1 -\nI void(ptr)\nD cool G 5 -\nI i32(i32)\n",
		"V 1\nD hook G 1 ap\nT hook void(ptr)\nT puts i32(i32)\n",
	};

	(void)state;
	expect(m, 2, "main\nhook\n*void(ptr)\n");
}

static void a_function_that_must_not_be_instrumented_never_migrates(void **state)
{
	static const char *const m[] = {
		"V 1\nD main G 1 -\nC asmfn\nD asmfn G 2 pn:inline-asm\nC leaf\nD leaf G 3 p\n"};

	(void)state;
	expect(m, 1, "leaf\n#m000 asmfn 2 waits inline-asm\n");
}

static void recursion_without_a_poll_does_not_migrate(void **state)
{
	static const char *const m[] = {"V 1\nD even G 1 -\nC odd\nD odd G 2 -\nC even\n"};

	(void)state;
	expect(m, 1, "");
}

static void the_strong_definition_of_a_weak_name_counts(void **state)
{
	static const char *const m[] = {
		"V 1\nD main G 1 -\nC work\nD work G 5 p\nG work W 0\n",
		"V 1\nD work G 1 -\nG work T 0\n",
	};

	(void)state;
	expect(m, 2, "!work.m000\n");
}

static void of_weak_definitions_the_first_counts(void **state)
{
	static const char *const m[] = {
		"V 1\nD main G 1 -\nC work\n",
		"V 1\nD work G 1 p\nG work W 0\n",
		"V 1\nD work G 1 p\nG work W 0\n",
	};

	(void)state;
	expect(m, 3, "main\nwork\n!work.m002\n");
}

static void what_never_migrates_is_listed_with_its_effect(void **state)
{
	static const char *const m[] = {
		"V 1\nD main G 1 p\nC holds\nD holds L 2 n:inline_assembly\nC main\n"
		"D quick G 3 n:own_frame\nC puts\nD leaf G 4 n:own_frame\n",
	};

	(void)state;
	expect(m, 1,
	       "main\n#m000 holds.m000 2 waits inline_assembly\n#m000 quick 3 harmless "
	       "own_frame\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callers_of_a_poll_migrate_across_files),
		cmocka_unit_test(a_local_function_hides_a_global_one_of_its_name),
		cmocka_unit_test(a_local_function_is_named_with_its_module),
		cmocka_unit_test(an_indirect_call_reaches_functions_of_its_type),
		cmocka_unit_test(a_function_that_must_not_be_instrumented_never_migrates),
		cmocka_unit_test(recursion_without_a_poll_does_not_migrate),
		cmocka_unit_test(the_strong_definition_of_a_weak_name_counts),
		cmocka_unit_test(of_weak_definitions_the_first_counts),
		cmocka_unit_test(what_never_migrates_is_listed_with_its_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
