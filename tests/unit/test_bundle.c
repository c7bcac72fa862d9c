#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elf.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binaries/bundle/bundle.h"
#include "common/buf.h"

/* ---- a small executable with sections, put together by hand ---------------- */

struct part {
	const char *name;
	const void *data;
	size_t len;
};

static void make_elf(struct buf *out, uint16_t machine, const struct part *parts, size_t n)
{
	Elf64_Ehdr eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			 .e_type = ET_EXEC,
			 .e_machine = machine,
			 .e_version = EV_CURRENT,
			 .e_ehsize = sizeof eh,
			 .e_shentsize = sizeof(Elf64_Shdr),
			 .e_shnum = (Elf64_Half)(n + 2),
			 .e_shstrndx = (Elf64_Half)(n + 1)};
	struct buf names = {.max = 4096};
	Elf64_Shdr sh[8] = {{0}};

	assert_true(n + 2 <= 8);
	assert_int_equal(buf_append(&names, "", 1), 0);
	assert_int_equal(buf_append(out, &eh, sizeof eh), 0);
	for (size_t i = 0; i < n; i++) {
		sh[i + 1] = (Elf64_Shdr){.sh_name = (Elf64_Word)names.len,
					 .sh_type = SHT_PROGBITS,
					 .sh_offset = out->len,
					 .sh_size = parts[i].len,
					 .sh_addralign = 1};
		assert_int_equal(buf_append(&names, parts[i].name, strlen(parts[i].name) + 1), 0);
		assert_int_equal(buf_append(out, parts[i].data, parts[i].len), 0);
	}
	sh[n + 1] = (Elf64_Shdr){.sh_name = (Elf64_Word)names.len,
				 .sh_type = SHT_STRTAB,
				 .sh_offset = out->len,
				 .sh_size = names.len + 10,
				 .sh_addralign = 1};
	assert_int_equal(buf_append(&names, ".shstrtab", 10), 0);
	assert_int_equal(buf_append(out, names.data, names.len), 0);
	while (out->len % 8)
		assert_int_equal(buf_append(out, "", 1), 0);
	eh.e_shoff = out->len;
	memcpy(out->data, &eh, sizeof eh);
	assert_int_equal(buf_append(out, sh, (n + 2) * sizeof *sh), 0);
	buf_free(&names);
}

static const char table[] = "V 1\nM m000 a.c\nF 00000000000000aa main 3 1\n";

/* A bundle; SPOIL changes what the manifest says. */
static void make_bundle(struct buf *out, void (*spoil)(struct bundle_manifest *))
{
	const struct part arm_parts[] = {{".state_transform", table, sizeof table - 1}};
	struct bundle_manifest m = {.name = "prog",
				    .made_by = "test",
				    .half = {{.present = true}, {.present = true}},
				    .data_start = 0x440000,
				    .data_end = 0x450000,
				    .text_start = 0x410000,
				    .text_end = 0x420000,
				    .shared = 7};
	struct buf arm = {.max = 1u << 16};
	char *text;

	make_elf(&arm, EM_AARCH64, arm_parts, 1);
	m.half[ISA_AARCH64].size = arm.len;
	assert_int_equal(digest_buf(arm.data, arm.len, m.half[ISA_AARCH64].sha256), 0);
	if (spoil)
		spoil(&m);
	text = bundle_manifest_text(&m);
	assert_non_null(text);
	const struct part parts[] = {{".state_transform", table, sizeof table - 1},
				     {".drover.aarch64", arm.data, arm.len},
				     {".drover.manifest", text, strlen(text)}};
	make_elf(out, EM_X86_64, parts, 3);
	free(text);
	buf_free(&arm);
}

/* ---- tests ------------------------------------------------------------------ */

static void a_bundle_tells_its_halves_and_tables(void **state)
{
	struct buf file = {.max = 1u << 16};
	struct err e = ERR_INIT;
	struct bundle *b;
	struct stat st;
	size_t len;
	int fd;

	(void)state;
	make_bundle(&file, NULL);
	assert_int_equal(bundle_open_data(file.data, file.len, "prog", &b, &e), 0);
	assert_string_equal(bundle_manifest(b)->name, "prog");
	assert_int_equal(bundle_manifest(b)->shared, 7);
	assert_true(bundle_has(b, ISA_X86_64) && bundle_has(b, ISA_AARCH64));
	assert_non_null(bundle_transform(b, ISA_AARCH64, &len));
	assert_int_equal(len, sizeof table - 1);
	fd = bundle_half_fd(b, ISA_AARCH64, &e);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, bundle_manifest(b)->half[ISA_AARCH64].size);
	assert_true(st.st_mode & S_IXUSR);
	close(fd);
	bundle_free(b);
	buf_free(&file);
}

static void expect_refusal(const struct buf *file, const char *part_of_message)
{
	struct err e = ERR_INIT;
	struct bundle *b;

	assert_true(bundle_open_data(file->data, file->len, "prog", &b, &e) < 0);
	assert_null(b);
	assert_non_null(strstr(e.msg, part_of_message));
}

static void wrong_digest(struct bundle_manifest *m)
{
	m->half[ISA_AARCH64].sha256[0] ^= 1;
}

static void wrong_size(struct bundle_manifest *m)
{
	m->half[ISA_AARCH64].size++;
}

static void only_x86(struct bundle_manifest *m)
{
	m->half[ISA_AARCH64].present = false;
}

static void a_manifest_that_does_not_fit_is_refused(void **state)
{
	static const struct {
		void (*spoil)(struct bundle_manifest *);
		const char *message;
	} cases[] = {{wrong_digest, "SHA-256"}, {wrong_size, "bytes"}, {only_x86, "disagree"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf file = {.max = 1u << 16};

		make_bundle(&file, cases[i].spoil);
		expect_refusal(&file, cases[i].message);
		buf_free(&file);
	}
}

static void an_executable_without_manifest_is_no_bundle(void **state)
{
	struct buf file = {.max = 1u << 16};

	(void)state;
	make_elf(&file, EM_X86_64, NULL, 0);
	expect_refusal(&file, "not a bundle");
	buf_free(&file);
}

static void garbage_is_refused(void **state)
{
	struct buf file = {.max = 1u << 16};

	(void)state;
	assert_int_equal(buf_str(&file, "#!/bin/sh\necho not a bundle but longer than a header\n"
					"exit 0 # and longer still\n"),
			 0);
	expect_refusal(&file, "not an ELF file");
	buf_free(&file);
}

static void no_damage_crashes_the_reader(void **state)
{
	struct buf file = {.max = 1u << 16};
	struct err e = ERR_INIT;
	struct bundle *b;
	char *copy;

	(void)state;
	make_bundle(&file, NULL);
	copy = malloc(file.len);
	assert_non_null(copy);
	for (size_t i = 0; i < file.len; i++) {
		memcpy(copy, file.data, file.len);
		copy[i] ^= (char)0xa5;
		if (bundle_open_data(copy, file.len, "prog", &b, &e) == 0)
			bundle_free(b);
		assert_true(bundle_open_data(file.data, i, "prog", &b, &e) < 0);
	}
	free(copy);
	buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bundle_tells_its_halves_and_tables),
		cmocka_unit_test(a_manifest_that_does_not_fit_is_refused),
		cmocka_unit_test(an_executable_without_manifest_is_no_bundle),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(no_damage_crashes_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
