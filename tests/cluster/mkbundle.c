/*
 * Writes a well-formed bundle that carries no program, for tests of what only
 * looks at bundles. Usage: mkbundle FILE [x86_64]: for both ISAs, or for one.
 */
#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "binaries/bundle/bundle.h"
#include "common/buf.h"
#include "common/file.h"

#define FILE_MAX 65536
#define SECTIONS 4

struct section {
	const char *name;
	const void *data;
	size_t len;
};

/* An executable of nothing but sections. */
static int make_elf(struct buf *out, uint16_t machine, const struct section *s, size_t n)
{
	Elf64_Ehdr eh = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				     EV_CURRENT},
			 .e_type = ET_EXEC,
			 .e_machine = machine,
			 .e_version = EV_CURRENT,
			 .e_ehsize = sizeof(Elf64_Ehdr),
			 .e_shentsize = sizeof(Elf64_Shdr)};
	Elf64_Shdr sh[SECTIONS + 2] = {{0}};
	_cleanup_buf_ struct buf names, body;
	int r = 0;

	buf_init(&names, FILE_MAX);
	buf_init(&body, FILE_MAX);
	r |= buf_append(&names, "", 1);
	for (size_t i = 0; i < n; i++) {
		sh[i + 1] = (Elf64_Shdr){.sh_name = (Elf64_Word)names.len,
					 .sh_type = SHT_PROGBITS,
					 .sh_offset = sizeof(eh) + body.len,
					 .sh_size = s[i].len};
		r |= buf_append(&names, s[i].name, strlen(s[i].name) + 1);
		r |= buf_append(&body, s[i].data, s[i].len);
	}
	sh[n + 1] = (Elf64_Shdr){.sh_name = (Elf64_Word)names.len,
				 .sh_type = SHT_STRTAB,
				 .sh_offset = sizeof(eh) + body.len};
	r |= buf_append(&names, ".shstrtab", sizeof(".shstrtab"));
	sh[n + 1].sh_size = names.len;
	r |= buf_append(&body, names.data, names.len);
	while ((sizeof(eh) + body.len) % 8)
		r |= buf_append(&body, "", 1);
	eh.e_shoff = sizeof(eh) + body.len;
	eh.e_shnum = (Elf64_Half)(n + 2);
	eh.e_shstrndx = (Elf64_Half)(n + 1);
	r |= buf_append(out, &eh, sizeof(eh));
	r |= buf_append(out, body.data, body.len);
	r |= buf_append(out, sh, (n + 2) * sizeof(sh[0]));
	return r;
}

int main(int argc, char **argv)
{
	static const char transform[] = "V 1\n";
	const struct section inner[] = {{".state_transform", transform, sizeof(transform) - 1}};
	struct bundle_manifest m = {.name = "nothing", .made_by = "mkbundle"};
	struct section outer[3] = {{".drover.manifest", NULL, 0}, inner[0]};
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf half, whole;
	struct err e = ERR_INIT;
	size_t n = 2;

	buf_init(&half, FILE_MAX);
	buf_init(&whole, 4 * FILE_MAX);
	if (argc < 2 || make_elf(&half, EM_AARCH64, inner, 1))
		return 2;
	m.half[ISA_X86_64].present = true;
	if (argc == 2) {
		m.half[ISA_AARCH64].present = true;
		m.half[ISA_AARCH64].size = half.len;
		if (digest_buf(half.data, half.len, m.half[ISA_AARCH64].sha256))
			return 2;
		outer[n++] = (struct section){".drover.aarch64", half.data, half.len};
	}
	text = bundle_manifest_text(&m);
	if (!text)
		return 2;
	outer[0].data = text;
	outer[0].len = strlen(text);
	if (make_elf(&whole, EM_X86_64, outer, n) ||
	    file_write_atomic(argv[1], whole.data, whole.len, 0755, &e)) {
		err_print("mkbundle", &e);
		return 1;
	}
	return 0;
}
