/*
 * What must hold of the two finished executables: equal bytes wherever a
 * pointer of moved state may point, equal state tables, one identity.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binaries/link/verify.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"

#define EXECUTABLE_MAX (1u << 30)
#define TABLE          ".state_transform"

struct image {
	struct buf file;
	Elf *elf;
};

static int image_open(struct image *im, const char *path, struct err *err)
{
	int r;

	buf_init(&im->file, EXECUTABLE_MAX);
	r = file_read(path, &im->file, err);
	if (r < 0)
		return r;
	elf_version(EV_CURRENT);
	im->elf = elf_memory(im->file.data, im->file.len);
	if (!im->elf)
		return err_set(err, -EINVAL, "%s: the linker wrote no ELF file", path);
	return 0;
}

static void image_close(struct image *im)
{
	if (im->elf)
		elf_end(im->elf);
	buf_free(&im->file);
}

/* LEN bytes of the file that are loaded at ADDR, or NULL. */
static unsigned char *image_at(const struct image *im, uint64_t addr, uint64_t len)
{
	size_t n;

	if (elf_getphdrnum(im->elf, &n) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(im->elf, (int)i, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (addr < ph.p_vaddr || addr - ph.p_vaddr > ph.p_filesz ||
		    len > ph.p_filesz - (addr - ph.p_vaddr) || ph.p_offset > im->file.len ||
		    ph.p_filesz > im->file.len - ph.p_offset)
			continue;
		return (unsigned char *)im->file.data + ph.p_offset + (addr - ph.p_vaddr);
	}
	return NULL;
}

static const char *image_table(const struct image *im, size_t *len)
{
	Elf_Scn *scn = NULL;
	size_t strndx;

	*len = 0;
	if (elf_getshdrstrndx(im->elf, &strndx) < 0)
		return "";
	while ((scn = elf_nextscn(im->elf, scn))) {
		GElf_Shdr sh;
		const char *name;

		if (!gelf_getshdr(scn, &sh))
			continue;
		name = elf_strptr(im->elf, strndx, sh.sh_name);
		if (!name || strcmp(name, TABLE) != 0 || sh.sh_offset > im->file.len ||
		    sh.sh_size > im->file.len - sh.sh_offset)
			continue;
		*len = (size_t)sh.sh_size;
		return im->file.data + sh.sh_offset;
	}
	return "";
}

/* The line that begins at most at POS, and the last line before it that begins with KIND. */
static const char *line_at(const char *text, size_t pos, char kind)
{
	const char *p = text + pos;

	for (;; p--) {
		while (p > text && p[-1] != '\n')
			p--;
		if (!kind || p == text || *p == kind)
			return p;
	}
}

static int same_tables(const struct image im[ISA_COUNT], struct err *err)
{
	size_t n[ISA_COUNT], i = 0;
	const char *t[ISA_COUNT], *f, *m, *x, *a;

	for (int k = 0; k < ISA_COUNT; k++)
		t[k] = image_table(&im[k], &n[k]);
	while (i < n[0] && i < n[1] && t[0][i] == t[1][i])
		i++;
	if (i == n[0] && i == n[1])
		return 0;
	if (i && (i == n[0] || i == n[1]))
		i--;
	f = line_at(t[0], i, 'F');
	m = line_at(t[0], i, 'M');
	x = line_at(t[0], i, 0);
	a = line_at(t[1], i, 0);
	err_set(err, -EILSEQ,
		"the ISAs would save different state in module \"%.*s\", function \"%.*s\": "
		"\"%.*s\" on x86-64, \"%.*s\" on AArch64",
		(int)strcspn(m, "\n"), m, (int)strcspn(f, "\n"), f, (int)strcspn(x, "\n"), x,
		(int)strcspn(a, "\n"), a);
	return err_hint(err, "the function's code depends on the ISA; make it the same for both");
}

static int same_bytes(const struct slot *s, const struct image im[ISA_COUNT],
		      const struct link_job *job, struct err *err)
{
	char file[256];
	const struct map_section *sec =
		s->sec[ISA_X86_64] ? s->sec[ISA_X86_64] : s->sec[ISA_AARCH64];
	const struct map_section *other = s->sec[ISA_AARCH64] ? s->sec[ISA_AARCH64] : sec;
	uint64_t size = sec->size < other->size ? sec->size : other->size, k;
	const unsigned char *x = image_at(&im[ISA_X86_64], s->addr, size);
	const unsigned char *a = image_at(&im[ISA_AARCH64], s->addr, size);
	const struct strv *objects = &job->half[ISA_X86_64].objects;
	const char *from = section_file(sec, file, sizeof file);

	for (size_t i = 0; i < objects->n && i < job->sources.n; i++)
		if (!sec->member && job->sources.v[i][0] && !strcmp(objects->v[i], sec->file))
			from = job->sources.v[i];
	if (!x || !a)
		return err_set(err, -EILSEQ, "%s: '%s' is in no segment of both halves", from,
			       region_symbol(s->name));
	for (k = 0; k < size && x[k] == a[k]; k++)
		;
	if (k == size && sec->size == other->size)
		return 0;
	err_set(err, -EILSEQ, "%s: '%s' differs between the ISAs, first at byte %llu", from,
		region_symbol(s->name), (unsigned long long)k);
	return err_hint(err, "its type's layout, or a value in it, depends on the ISA");
}

/* The runtime's own constants may differ: moved state never points at them. */
static bool of_runtime(const struct map_section *s)
{
	return strstr(s->file, "libdrover-rt.a") != NULL;
}

int verify_graft(struct layout *l, const char *const trial[ISA_COUNT], struct err *err)
{
	struct image im[ISA_COUNT] = {{{0}, NULL}, {{0}, NULL}};
	int r = 0;

	for (int k = 0; k < ISA_COUNT && !r; k++)
		r = image_open(&im[k], trial[k], err);
	for (size_t i = 0; i < l->n && !r; i++) {
		struct slot *s = &l->slots[i];
		int isa = s->sec[ISA_X86_64] ? ISA_X86_64 : ISA_AARCH64;
		const unsigned char *at;

		if ((s->region != REGION_RODATA && s->region != REGION_DATA) || s->sec[!isa] ||
		    !s->size || of_runtime(s->sec[isa]))
			continue;
		at = image_at(&im[isa], s->sec[isa]->addr, s->size);
		s->graft = at ? malloc(s->size) : NULL;
		if (s->graft)
			memcpy(s->graft, at, s->size);
		else
			r = err_set(err, -EIO, "cannot read the constant '%s' of the trial link",
				    region_symbol(s->name));
	}
	for (int k = 0; k < ISA_COUNT; k++)
		image_close(&im[k]);
	return r;
}

int verify_contents(const struct layout *l, const struct link_job *job, struct err *err)
{
	struct image im[ISA_COUNT] = {{{0}, NULL}, {{0}, NULL}};
	int r = 0;

	for (int k = 0; k < ISA_COUNT && !r; k++)
		r = image_open(&im[k], job->half[k].output, err);
	for (size_t i = 0; i < l->n && !r; i++) {
		const struct slot *s = &l->slots[i];

		if (!s->graft && (!s->sec[0] || !s->sec[1] || of_runtime(s->sec[0])))
			continue;
		if (s->region == REGION_RODATA || s->region == REGION_RELRO ||
		    s->region == REGION_DATA || s->region == REGION_FNS)
			r = same_bytes(s, im, job, err);
	}
	if (!r)
		r = same_tables(im, err);
	for (int k = 0; k < ISA_COUNT; k++)
		image_close(&im[k]);
	return r;
}

int verify_stamp(const struct layout *l, const struct link_job *job, struct link_stats *stats,
		 struct err *err)
{
	struct image im[ISA_COUNT] = {{{0}, NULL}, {{0}, NULL}};
	struct digest *d = digest_new();
	int r = d ? 0 : err_set(err, -ENOMEM, "aligned link: out of memory");

	for (int k = 0; k < ISA_COUNT && !r; k++) {
		r = image_open(&im[k], job->half[k].output, err);
		if (!r && digest_update(d, im[k].file.data, im[k].file.len) < 0)
			r = err_set(err, -EIO, "cannot compute a digest");
	}
	if (!r && digest_final(d, stats->build_id) < 0)
		r = err_set(err, -EIO, "cannot compute a digest");
	for (int k = 0; k < ISA_COUNT && !r; k++) {
		_cleanup_close_ int fd = -1;
		unsigned char *at = image_at(&im[k], l->build_id, LAYOUT_BUILD_ID);

		fd = open(job->half[k].output, O_WRONLY | O_CLOEXEC);
		if (!at || fd < 0 ||
		    pwrite(fd, stats->build_id, LAYOUT_BUILD_ID,
			   at - (unsigned char *)im[k].file.data) != LAYOUT_BUILD_ID)
			r = err_set(err, -EIO, "cannot write the identity of the program to %s",
				    job->half[k].output);
	}
	digest_free(d);
	for (int k = 0; k < ISA_COUNT; k++)
		image_close(&im[k]);
	return r;
}
