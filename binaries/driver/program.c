/* Modules into a bundle: decide what migrates, generate code, link aligned, pack. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binaries/bundle/bundle.h"
#include "binaries/driver/driver.h"
#include "binaries/link/link.h"
#include "binaries/link/migrate.h"
#include "binaries/link/run.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"
#include "config.h"

static const char *const libgcc_dir[ISA_COUNT] = {
	[ISA_X86_64] = DROVER_LIBGCC_X86_64,
	[ISA_AARCH64] = DROVER_LIBGCC_AARCH64,
};

static void work_path(char *out, const struct driver *d, const char *name)
{
	snprintf(out, PATH_MAX, "%.*s/%s", PATH_MAX - 64, d->workdir, name);
}

/* Writes the list of what may reach a migration point; its path goes to PATH. WAS is the list of
 * the round before, and becomes this one's. */
static int decide(const struct driver *d, struct program *p, struct buf *was, char *path,
		  struct err *err)
{
	_cleanup_buf_ struct buf list = {.max = SUMMARY_MAX};
	_cleanup_free_ struct migrate_module *mods = calloc(p->n + 1, sizeof *mods);
	int r;

	if (!mods)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < p->n; i++)
		mods[i] = (struct migrate_module){p->modules[i].id, &p->modules[i].object.summary};
	r = migrate_decide(mods, p->n, &list, err);
	if (!r)
		r = stale_mark(p, buf_cstr(was), buf_cstr(&list), err);
	work_path(path, d, "migrating");
	if (!r)
		r = file_write(path, buf_cstr(&list), list.len, 0600, err);
	if (r < 0)
		return r;
	buf_reset(was);
	r = buf_str(was, buf_cstr(&list));
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

static void list_apart(const struct program *p, struct strv *apart)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct summary *s = &p->modules[i].object.summary;

		for (size_t k = 0; k < s->none_sided; k++)
			strv_addf(apart, "%s.%s", s->one_sided[k], p->modules[i].id);
	}
}

static int fill_half(const struct driver *d, const struct program *p, enum isa isa,
		     struct link_job *job, const char *output)
{
	static const char *const libs[] = {"libdrover-rt.a", "libc.a"};
	static const char *const gcc_libs[] = {"libgcc_eh.a", "libgcc.a"};
	struct link_half *h = &job->half[isa];
	char path[PATH_MAX];

	h->output = output;
	strv_addf(&h->objects, "%s/sysroot/%s/lib/crt1.o", d->libdir, isa_name(isa));
	if (isa == ISA_X86_64)
		strv_add(&job->sources, "crt1.o");
	for (size_t i = 0; i < p->n; i++) {
		const struct module *m = &p->modules[i];

		module_path(path, d, m, isa, "o");
		strv_add(&h->objects, path);
		if (isa == ISA_X86_64)
			strv_add(&job->sources, m->object.source ? m->object.source : m->name);
	}
	if (isa == ISA_X86_64)
		list_apart(p, &job->apart);
	for (size_t i = 0; i < ARRAY_SIZE(libs); i++)
		strv_addf(&h->archives, "%s/sysroot/%s/lib/%s", d->libdir, isa_name(isa), libs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(gcc_libs); i++)
		strv_addf(&h->archives, "%s/%s", libgcc_dir[isa], gcc_libs[i]);
	return strv_failed(&h->objects) || strv_failed(&h->archives) ||
			       strv_failed(&job->sources) || strv_failed(&job->apart)
		       ? -ENOMEM
		       : 0;
}

static int run_objcopy(const struct driver *d, const char *x86, const char *arm,
		       const char *manifest, const char *out, struct err *err)
{
	struct strv argv = {0};
	struct run run;
	int r;

	strv_add(&argv, DROVER_OBJCOPY);
	strv_addf(&argv, "--add-section=.drover.aarch64=%s", arm);
	strv_addf(&argv, "--add-section=.drover.manifest=%s", manifest);
	strv_add(&argv, x86);
	strv_add(&argv, out);
	r = run_start(&run, &argv, NULL, d->options.verbose, err);
	strv_free(&argv);
	if (r < 0)
		return r;
	r = run_wait(&run);
	return r ? err_set(err, -EIO, "cannot put the halves together in %s", out) : 0;
}

static mode_t executable_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0777 & ~mask;
}

int program_put_in_place(const char *from, const char *output, struct err *err)
{
	_cleanup_buf_ struct buf b = {.max = OBJECT_FILE_MAX};
	struct stat st;
	int r = file_read(from, &b, err);

	if (r < 0)
		return r;
	if (stat(output, &st) == 0 && !S_ISREG(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			return err_set(err, -EISDIR, "cannot write %s: it is a folder", output);
		return 0; /* /dev/null: configure scripts only ask whether it links */
	}
	return file_write_atomic(output, buf_cstr(&b), b.len, executable_mode(), err);
}

static int pack(const struct driver *d, const char *const half[ISA_COUNT],
		const struct link_stats *stats, const char *output, struct err *err)
{
	struct bundle_manifest m = {.data_start = stats->data_start,
				    .data_end = stats->data_end,
				    .text_start = stats->text_start,
				    .text_end = stats->text_end,
				    .shared = stats->shared,
				    .differing = stats->differing};
	const char *base = strrchr(output, '/');
	char manifest[PATH_MAX], packed[PATH_MAX];
	_cleanup_free_ char *text = NULL;
	struct stat st;
	int r;

	snprintf(m.name, sizeof m.name, "%.*s", BUNDLE_NAME_MAX - 1, base ? base + 1 : output);
	snprintf(m.made_by, sizeof m.made_by, "drover-cc %s", PACKAGE_VERSION);
	memcpy(m.build_id, stats->build_id, sizeof m.build_id);
	m.half[ISA_X86_64].present = m.half[ISA_AARCH64].present = true;
	if (stat(half[ISA_AARCH64], &st) < 0)
		return err_sys(err, -errno, "cannot read %s", half[ISA_AARCH64]);
	m.half[ISA_AARCH64].size = (uint64_t)st.st_size;
	r = digest_file(half[ISA_AARCH64], m.half[ISA_AARCH64].sha256);
	if (r < 0)
		return err_sys(err, r, "cannot read %s", half[ISA_AARCH64]);
	text = bundle_manifest_text(&m);
	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	work_path(manifest, d, "manifest");
	work_path(packed, d, "packed");
	r = file_write(manifest, text, strlen(text), 0600, err);
	if (!r)
		r = run_objcopy(d, half[ISA_X86_64], half[ISA_AARCH64], manifest, packed, err);
	return r < 0 ? r : program_put_in_place(packed, output, err);
}

/* Until nothing is found that differs: each round takes functions out of migration, so it ends. */
static int generate(const struct driver *d, struct program *p, char *migrating, struct err *err)
{
	_cleanup_buf_ struct buf list = {.max = SUMMARY_MAX};
	bool again = true;
	int r = 0;

	while (again && !r) {
		r = decide(d, p, &list, migrating, err);
		if (!r)
			r = codegen(d, p, migrating, err);
		if (!r)
			r = agree(d, p, &again, err);
	}
	return r;
}

int program_build(struct driver *d, struct program *p, const char *output, struct err *err)
{
	_cleanup_buf_ struct buf home = {.max = 1u << 20};
	char migrating[PATH_MAX], path[PATH_MAX], half[ISA_COUNT][PATH_MAX];
	const char *const halves[ISA_COUNT] = {half[0], half[1]};
	struct link_job job = {.workdir = d->workdir, .verbose = d->options.verbose};
	struct link_stats stats;
	int r;

	snprintf(path, sizeof path, "%.*s/home.list", PATH_MAX - 64, d->libdir);
	r = file_read(path, &home, err);
	if (!r)
		r = generate(d, p, migrating, err);
	for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
		snprintf(half[isa], PATH_MAX, "%.*s/half.%s", PATH_MAX - 64, d->workdir,
			 isa_name((enum isa)isa));
		r = fill_half(d, p, (enum isa)isa, &job, half[isa]);
		if (r < 0)
			err_set(err, r, "out of memory");
	}
	job.home = buf_cstr(&home);
	strv_cat(&job.options, &d->options.linker);
	for (size_t i = 0; i < d->options.undefined.n; i++)
		strv_addf(&job.options, "--undefined=%s", d->options.undefined.v[i]);
	if (!r)
		r = link_aligned(&job, &stats, err);
	if (!r)
		r = pack(d, halves, &stats, output, err);
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		strv_free(&job.half[isa].objects);
		strv_free(&job.half[isa].archives);
	}
	strv_free(&job.sources);
	strv_free(&job.apart);
	strv_free(&job.options);
	return r;
}
