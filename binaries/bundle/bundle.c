/*
 * Reader of bundles.  The bytes come from users and networks: libelf checks
 * sizes against the file, everything else is checked here.
 */
#include "binaries/bundle/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binaries/bundle/manifest.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"

struct span {
	const unsigned char *data; /* NULL: not there */
	size_t len;
};

struct bundle {
	char *owned; /* the file's bytes when we read them */
	struct span file;
	struct span half[ISA_COUNT]; /* x86-64: the whole file */
	struct span transform[ISA_COUNT];
	struct bundle_manifest manifest;
	uint8_t digest[DIGEST_SIZE];
};

static const uint16_t machine_of[ISA_COUNT] = {
	[ISA_X86_64] = EM_X86_64,
	[ISA_AARCH64] = EM_AARCH64,
};

struct wanted {
	const char *section;
	struct span *span;
};

static void cleanup_elf(Elf **e)
{
	if (*e)
		elf_end(*e);
}

/* Opens a static executable of one ISA in memory and finds sections by name. */
static int find_sections(struct span file, enum isa isa, const struct wanted *w, size_t n,
			 const char *name, struct err *e)
{
	_cleanup_(cleanup_elf) Elf *elf = NULL;
	size_t strndx;
	Elf_Scn *scn = NULL;
	GElf_Ehdr eh;

	if (elf_version(EV_CURRENT) == EV_NONE || file.len < sizeof(Elf64_Ehdr) ||
	    memcmp(file.data, ELFMAG, SELFMAG) != 0)
		return err_set(e, -EINVAL, "%s: not an ELF file", name);
	elf = elf_memory((char *)(uintptr_t)file.data, file.len);
	if (!elf || elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64 ||
	    !gelf_getehdr(elf, &eh))
		return err_set(e, -EINVAL, "%s: damaged ELF file", name);
	if (eh.e_machine != machine_of[isa] || eh.e_type != ET_EXEC)
		return err_set(e, -EINVAL, "%s: not a static executable for %s", name,
			       isa_name(isa));
	if (elf_getshdrstrndx(elf, &strndx) < 0)
		return err_set(e, -EINVAL, "%s: damaged ELF section names", name);
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *s;

		if (!gelf_getshdr(scn, &sh))
			return err_set(e, -EINVAL, "%s: damaged ELF section", name);
		s = elf_strptr(elf, strndx, sh.sh_name);
		if (!s || sh.sh_type == SHT_NOBITS)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (strcmp(s, w[i].section) != 0)
				continue;
			if (sh.sh_offset > file.len || sh.sh_size > file.len - sh.sh_offset)
				return err_set(e, -EINVAL, "%s: section %s ends behind the file",
					       name, s);
			*w[i].span = (struct span){file.data + sh.sh_offset, (size_t)sh.sh_size};
		}
	}
	return 0;
}

static int check_half(struct bundle *b, const char *name, struct err *e)
{
	const struct bundle_half *h = &b->manifest.half[ISA_AARCH64];
	struct wanted w[] = {{".state_transform", &b->transform[ISA_AARCH64]}};
	uint8_t sha[DIGEST_SIZE];

	if (!b->manifest.half[ISA_X86_64].present)
		return err_set(e, -EINVAL, "%s: the manifest does not name its own ISA", name);
	if (h->present != (b->half[ISA_AARCH64].data != NULL))
		return err_set(e, -EINVAL, "%s: the manifest and the file disagree on %s", name,
			       isa_name(ISA_AARCH64));
	if (!h->present)
		return 0;
	if (h->size != b->half[ISA_AARCH64].len)
		return err_set(e, -EINVAL, "%s: the AArch64 half has %zu bytes, not %llu", name,
			       b->half[ISA_AARCH64].len, (unsigned long long)h->size);
	if (digest_buf(b->half[ISA_AARCH64].data, b->half[ISA_AARCH64].len, sha) < 0)
		return err_set(e, -EIO, "%s: cannot compute a SHA-256", name);
	if (!digest_equal(sha, h->sha256, sizeof sha))
		return err_set(e, -EINVAL, "%s: the AArch64 half is damaged (SHA-256 differs)",
			       name);
	return find_sections(b->half[ISA_AARCH64], ISA_AARCH64, w, ARRAY_SIZE(w), name, e);
}

static int open_span(struct bundle *b, const char *name, struct err *e)
{
	struct span manifest = {0};
	struct wanted w[] = {
		{".drover.manifest", &manifest},
		{".drover.aarch64", &b->half[ISA_AARCH64]},
		{".state_transform", &b->transform[ISA_X86_64]},
	};
	int r = find_sections(b->file, ISA_X86_64, w, ARRAY_SIZE(w), name, e);

	if (!r && !manifest.data)
		r = err_set(e, -EINVAL, "%s: an executable, but not a bundle", name);
	if (r < 0)
		return err_hint(e, "build a bundle with drover-cc");
	b->half[ISA_X86_64] = b->file;
	r = manifest_parse(&b->manifest, (const char *)manifest.data, manifest.len, e);
	if (r < 0)
		return err_wrap(e, "%s", name);
	r = check_half(b, name, e);
	if (!r && digest_buf(b->file.data, b->file.len, b->digest) < 0)
		r = err_set(e, -EIO, "%s: cannot compute a SHA-256", name);
	return r;
}

static int make(char *owned, const void *data, size_t len, const char *name, struct bundle **out,
		struct err *e)
{
	struct bundle *b = calloc(1, sizeof *b);
	int r;

	*out = NULL;
	if (!b) {
		free(owned);
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	}
	b->owned = owned;
	b->file = (struct span){data, len};
	r = open_span(b, name, e);
	if (r < 0)
		bundle_free(b);
	else
		*out = b;
	return r;
}

int bundle_open_data(const void *data, size_t len, const char *name, struct bundle **out,
		     struct err *e)
{
	return make(NULL, data, len, name, out, e);
}

int bundle_open_fd(int fd, const char *name, struct bundle **out, struct err *e)
{
	struct stat st;
	char *data;
	int r;

	*out = NULL;
	if (fstat(fd, &st) < 0)
		return err_sys(e, -errno, "cannot look at %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s: not a regular file", name);
	if ((uint64_t)st.st_size > BUNDLE_FILE_MAX)
		return err_set(e, -EFBIG, "%s: larger than %llu MiB", name,
			       (unsigned long long)(BUNDLE_FILE_MAX >> 20));
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	r = file_pread_all(fd, data, (size_t)st.st_size, 0);
	if (r < 0) {
		free(data);
		return err_sys(e, r, "cannot read %s", name);
	}
	return make(data, data, (size_t)st.st_size, name, out, e);
}

int bundle_open(const char *path, struct bundle **out, struct err *e)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = NULL;
	if (fd < 0)
		return err_sys(e, -errno, "cannot open %s", path);
	return bundle_open_fd(fd, path, out, e);
}

void bundle_free(struct bundle *b)
{
	if (!b)
		return;
	free(b->owned);
	free(b);
}

const struct bundle_manifest *bundle_manifest(const struct bundle *b)
{
	return &b->manifest;
}

bool bundle_has(const struct bundle *b, enum isa isa)
{
	return b->manifest.half[isa].present;
}

void bundle_digest(const struct bundle *b, uint8_t out[DIGEST_SIZE])
{
	memcpy(out, b->digest, DIGEST_SIZE);
}

const void *bundle_half_data(const struct bundle *b, enum isa isa, size_t *len)
{
	*len = b->half[isa].len;
	return b->half[isa].data;
}

int bundle_half_fd(const struct bundle *b, enum isa isa, struct err *e)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (!b->half[isa].data)
		return err_set(e, -ENOENT, "%s: this bundle has no half for %s", b->manifest.name,
			       isa_name(isa));
	fd = file_memfd(b->manifest.name);
	if (fd < 0)
		return err_sys(e, fd, "cannot make a memory file for %s", b->manifest.name);
	r = file_write_all(fd, b->half[isa].data, b->half[isa].len);
	if (r < 0 || fchmod(fd, 0500) < 0)
		return err_sys(e, r < 0 ? r : -errno, "cannot extract %s of %s", isa_name(isa),
			       b->manifest.name);
	return take_fd(&fd);
}

const char *bundle_transform(const struct bundle *b, enum isa isa, size_t *len)
{
	*len = b->transform[isa].len;
	return (const char *)b->transform[isa].data;
}
