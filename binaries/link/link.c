/*
 * Orchestration of the aligned link: trial links until both ISAs keep the same
 * sections alive, layout, final links, proofs.
 */
#include "binaries/link/link.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "binaries/link/run.h"
#include "binaries/link/script.h"
#include "binaries/link/verify.h"
#include "binaries/object/strmap.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"
#include "config.h"

#define ROUNDS_MAX 12

static const char *const emulation[ISA_COUNT] = {
	[ISA_X86_64] = "elf_x86_64",
	[ISA_AARCH64] = "aarch64linux",
};

static void work_path(char *out, const struct link_job *job, const char *what, enum isa isa)
{
	snprintf(out, PATH_MAX, "%s/%s.%s", job->workdir, what, isa_name(isa));
}

static void command(struct strv *argv, const struct link_job *job, enum isa isa, const char *script,
		    const char *output, const struct strv *force)
{
	static const char *const fixed[] = {
		"-static",
		"--gc-sections",
		/* the runtime refers to the table of functions by its start and end */
		"-z",
		"nostart-stop-gc",
		"--eh-frame-hdr",
		"--build-id=none",
		"-z",
		"noexecstack",
		"-z",
		"max-page-size=65536",
		"-z",
		"norelro",
		"--no-relax",
		"--error-limit=20",
		"-e",
		"_start",
	};
	char path[PATH_MAX];
	const struct link_half *h = &job->half[isa];

	strv_add(argv, DROVER_LLD);
	strv_add(argv, "-m");
	strv_add(argv, emulation[isa]);
	strv_addn(argv, fixed, ARRAY_SIZE(fixed));
	strv_cat(argv, &job->options);
	if (script) {
		work_path(path, job, script, isa);
		strv_addf(argv, "--script=%s", path);
	}
	work_path(path, job, "map", isa);
	strv_addf(argv, "-Map=%s", path);
	for (size_t i = 0; i < force->n; i++)
		strv_addf(argv, "--undefined=%s", region_symbol(force->v[i]));
	strv_cat(argv, &h->objects);
	strv_add(argv, "--start-group");
	strv_cat(argv, &h->archives);
	strv_add(argv, "--end-group");
	strv_add(argv, "-o");
	strv_add(argv, output);
}

/* Shows the linker's own words, with the sources in place of our temporary objects. */
static void show_errors(const struct link_job *job, enum isa isa, const char *file)
{
	_cleanup_buf_ struct buf b = {.max = 1u << 20};
	const char *p;

	if (file_read(file, &b, NULL) < 0)
		return;
	for (p = buf_cstr(&b); *p;) {
		const struct strv *o = &job->half[isa].objects;
		size_t i;

		for (i = 0; i < o->n; i++)
			if (!strncmp(p, o->v[i], strlen(o->v[i])))
				break;
		if (i < o->n && i < job->sources.n) {
			fputs(job->sources.v[i], stderr);
			p += strlen(o->v[i]);
		} else {
			fputc(*p++, stderr);
		}
	}
}

/* Links both halves at once with the scripts named SCRIPT (NULL: none) and reads their maps. */
static int link_both(const struct link_job *job, const char *script, const struct strv *force,
		     bool final, struct map maps[ISA_COUNT], struct err *err)
{
	struct run runs[ISA_COUNT] = {{0}};
	char path[PATH_MAX], trial[PATH_MAX];
	int r = 0;

	for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
		struct strv argv = {0};

		work_path(path, job, "link-errors", (enum isa)isa);
		work_path(trial, job, "trial", (enum isa)isa);
		command(&argv, job, (enum isa)isa, script, final ? job->half[isa].output : trial,
			&force[isa]);
		r = run_start(&runs[isa], &argv, path, job->verbose, err);
		strv_free(&argv);
	}
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		int status = runs[isa].pid ? run_wait(&runs[isa]) : 0;

		if (status && !r) {
			work_path(path, job, "link-errors", (enum isa)isa);
			show_errors(job, (enum isa)isa, path);
			r = err_set(err, -EINVAL, "the link for %s failed",
				    isa == ISA_X86_64 ? "x86-64" : "AArch64");
		}
	}
	for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
		_cleanup_buf_ struct buf b = {.max = MAP_MAX};

		work_path(path, job, "map", (enum isa)isa);
		r = file_read(path, &b, err);
		if (!r)
			r = map_parse(&maps[isa], buf_cstr(&b), b.len, err);
	}
	return r;
}

static void free_maps(struct map maps[ISA_COUNT])
{
	for (int i = 0; i < ISA_COUNT; i++)
		map_free(&maps[i]);
}

/* Adds to FORCE[isa] what only the other one keeps alive; true if there was anything new. */
static int find_missing(const struct map maps[ISA_COUNT], struct strv force[ISA_COUNT], bool *any)
{
	*any = false;
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		const struct map *have = &maps[isa], *want = &maps[!isa];
		struct strmap names = {0};
		int bad = 0;

		for (size_t i = 0; i < have->nsections && !bad; i++)
			bad = strmap_put(&names, have->sections[i].name, i) == STRMAP_NONE;
		for (size_t i = 0; i < force[isa].n && !bad; i++)
			bad = strmap_put(&names, force[isa].v[i], i) == STRMAP_NONE;
		for (size_t i = 0; i < want->nsections && !bad; i++) {
			const char *name = want->sections[i].name;

			if (region_of(name) == REGION_PRIVATE ||
			    strmap_get(&names, name) != STRMAP_NONE)
				continue;
			strv_add(&force[isa], name);
			*any = true;
		}
		strmap_free(&names);
		if (bad || strv_failed(&force[isa]))
			return -ENOMEM;
	}
	return 0;
}

static int write_script(const struct link_job *job, const char *name, enum isa isa,
			const struct buf *text, struct err *err)
{
	char path[PATH_MAX];

	work_path(path, job, name, isa);
	return file_write(path, buf_cstr(text), text->len, 0600, err);
}

/* Trial links until the live sections of both ISAs agree as far as they can. */
static int find_live(const struct link_job *job, struct map maps[ISA_COUNT],
		     struct strv force[ISA_COUNT], struct err *err)
{
	const char *script = NULL;
	bool any = true;
	int r = 0;

	for (int round = 0; any && round < ROUNDS_MAX; round++) {
		free_maps(maps);
		r = link_both(job, script, force, false, maps, err);
		if (r < 0)
			return r;
		if (find_missing(maps, force, &any) < 0)
			return err_set(err, -ENOMEM, "aligned link: out of memory");
		if (!any)
			break;
		for (int isa = 0; isa < ISA_COUNT; isa++) {
			_cleanup_buf_ struct buf b = {.max = MAP_MAX};

			if (script_keep(&b, &force[isa]) < 0)
				return err_set(err, -ENOMEM, "aligned link: out of memory");
			r = write_script(job, "keep", (enum isa)isa, &b, err);
			if (r < 0)
				return r;
		}
		script = "keep";
	}
	return 0;
}

static int link_final(const struct link_job *job, const struct layout *l,
		      const struct strv force[ISA_COUNT], struct map maps[ISA_COUNT],
		      struct err *err)
{
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		_cleanup_buf_ struct buf b = {.max = MAP_MAX};
		int r;

		if (script_final(&b, l, (enum isa)isa) < 0)
			return err_set(err, -ENOMEM, "aligned link: out of memory");
		r = write_script(job, "final", (enum isa)isa, &b, err);
		if (r < 0)
			return r;
	}
	return link_both(job, "final", force, true, maps, err);
}

static int graft_constants(const struct link_job *job, struct layout *l, struct err *err)
{
	char trial[ISA_COUNT][PATH_MAX];
	const char *const trials[ISA_COUNT] = {trial[0], trial[1]};

	for (int isa = 0; isa < ISA_COUNT; isa++)
		work_path(trial[isa], job, "trial", (enum isa)isa);
	return verify_graft(l, trials, err);
}

int link_aligned(const struct link_job *job, struct link_stats *stats, struct err *err)
{
	struct map trial[ISA_COUNT] = {{0}}, final[ISA_COUNT] = {{0}};
	struct strv force[ISA_COUNT] = {{0}};
	struct layout l = {0};
	struct home home = {0};
	int r;

	*stats = (struct link_stats){0};
	r = home_parse(&home, job->home, err);
	if (!r)
		r = find_live(job, trial, force, err);
	if (!r)
		r = layout_make(&l, trial, &home, err);
	if (!r)
		r = verify_layout(&l, trial, job, err);
	if (!r)
		r = graft_constants(job, &l, err);
	if (!r)
		r = link_final(job, &l, force, final, err);
	if (!r)
		r = verify_addresses(final, &l, job, stats, err);
	if (!r)
		r = verify_taken(final, job, err);
	if (!r)
		r = verify_contents(&l, job, err);
	if (!r)
		r = verify_stamp(&l, job, stats, err);
	stats->data_start = l.start[REGION_DATA];
	stats->data_end = l.end[REGION_BSS];
	stats->text_start = l.start[REGION_TEXT];
	stats->text_end = l.end[REGION_COLD];
	free_maps(trial);
	free_maps(final);
	strv_free(&force[0]);
	strv_free(&force[1]);
	layout_free(&l);
	home_free(&home);
	return r;
}
