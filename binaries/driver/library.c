/*
 * Libraries: where -lX is, which files are libraries of ours, and those that -shared writes. A
 * library of the system, which another compiler made, is passed over as ld passes over one for
 * another machine; what the C library has needs no file at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binaries/driver/driver.h"
#include "binaries/link/run.h"
#include "binaries/object/shared.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"
#include "config.h"

static const char *const in_libc[] = {"c",    "m",     "pthread", "rt",  "dl",
				      "util", "crypt", "resolv",  "xnet"};

static bool is_in_libc(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(in_libc); i++)
		if (strlen(in_libc[i]) == len && !strncmp(name, in_libc[i], len))
			return true;
	return false;
}

/* libm.so, libpthread.so.0, libc.a: what find_library of CMake names in full. */
bool library_is_libc(const char *path)
{
	const char *base = strrchr(path, '/');
	size_t len;

	base = base ? base + 1 : path;
	if (strncmp(base, "lib", 3) != 0)
		return false;
	base += 3;
	len = strcspn(base, ".");
	return is_in_libc(base, len) && (!strcmp(base + len, ".a") || !strcmp(base + len, ".so") ||
					 !strncmp(base + len, ".so.", 4));
}

/* An archive whose members drover-cc made, or that has none. */
static bool is_ours(const struct archive *a)
{
	return a->n == 0 || shared_is(a) || object_is(a->members[0].data, a->members[0].len);
}

static int add_all(struct program *p, const struct archive *a, struct err *err)
{
	int r = 0;

	for (size_t i = shared_is(a) ? 1 : 0; i < a->n && !r; i++)
		r = program_add_member(p, a, &a->members[i], err);
	return r;
}

/* The library that one being read needs: where it was when that was made, or beside it, or by -L.
 */
static int find_needed(const struct driver *d, const char *needed, const char *by, char *path,
		       struct err *err)
{
	const char *base = strrchr(needed, '/') + 1, *slash = strrchr(by, '/');

	snprintf(path, PATH_MAX, "%s", needed);
	if (access(path, R_OK) == 0)
		return 0;
	snprintf(path, PATH_MAX, "%.*s%s", slash ? (int)(slash - by + 1) : 0, by, base);
	if (access(path, R_OK) == 0)
		return 0;
	for (size_t i = 0; i < d->options.libdirs.n; i++) {
		snprintf(path, PATH_MAX, "%s/%s", d->options.libdirs.v[i], base);
		if (access(path, R_OK) == 0)
			return 0;
	}
	err_set(err, -ENOENT, "cannot find %s, which %s needs", needed, by);
	return err_hint(err, "name its folder with -L");
}

static int add_needed(const struct driver *d, struct program *p, const struct archive *a,
		      struct err *err)
{
	struct strv needed = {0};
	struct object_part text;
	char path[PATH_MAX];
	int r = object_needed(a->members[0].data, a->members[0].len, &text) ? 0 : -EINVAL;

	if (!r)
		r = shared_parse(&needed, text.data, text.len, a->path, err);

	for (size_t i = 0; i < needed.n && !r; i++) {
		r = find_needed(d, needed.v[i], a->path, path, err);
		if (!r)
			r = library_load(d, p, path, false, err);
	}
	strv_free(&needed);
	return r;
}

/* Counts once, whatever the paths to it and however often it is named; takes A over. */
static int add_shared(const struct driver *d, struct program *p, struct archive *a, struct err *err)
{
	char real[PATH_MAX];
	int r;

	if (!realpath(a->path, real))
		snprintf(real, sizeof real, "%s", a->path);
	if (strv_has(&p->shared, real)) {
		archive_free(a);
		return 0;
	}
	strv_add(&p->shared, real);
	r = program_keep_archive(p, a, err);
	/* A library that is being made only names what it needs. */
	if (r || d->options.mode == MODE_SHARED)
		return r;
	r = add_all(p, a, err);
	return r ? r : add_needed(d, p, a, err);
}

/* 1: taken; 0: not a library, or another compiler's. */
static int take(const struct driver *d, struct program *p, const char *path, bool whole,
		struct err *err)
{
	char magic[8] = "";
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct archive a;
	int r;

	if (fd < 0)
		return err_sys(err, -errno, "cannot read %s", path);
	if (file_read_all(fd, magic, sizeof magic) < 0 || !archive_is(magic, sizeof magic))
		return 0;
	r = archive_read(&a, path, err);
	if (r < 0)
		return r;
	if (!is_ours(&a)) {
		archive_free(&a);
		return 0;
	}
	if (shared_is(&a)) {
		r = add_shared(d, p, &a, err);
	} else {
		r = program_keep_archive(p, &a, err);
		if (!r && whole)
			r = add_all(p, &a, err);
	}
	return r < 0 ? r : 1;
}

int library_load(const struct driver *d, struct program *p, const char *path, bool whole,
		 struct err *err)
{
	int r = take(d, p, path, whole, err);

	if (r)
		return r < 0 ? r : 0;
	err_set(err, -EINVAL, "%s: not a library that drover-cc made", path);
	return err_hint(err, "build that library with CC=drover-cc");
}

int library_find(const struct driver *d, struct program *p, const char *name, bool whole,
		 struct err *err)
{
	char path[PATH_MAX], foreign[PATH_MAX] = "", files[2][PATH_MAX];
	bool exact = name[0] == ':';

	snprintf(files[0], PATH_MAX, exact ? "%s" : "lib%s.so", name + exact);
	snprintf(files[1], PATH_MAX, exact ? "" : "lib%s.a", name);
	for (size_t i = 0; i < d->options.libdirs.n; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(files) && files[k][0]; k++) {
			int r = file_join(path, sizeof path, d->options.libdirs.v[i], files[k]);

			if (r < 0 || access(path, R_OK) < 0)
				continue;
			r = take(d, p, path, whole, err);
			if (r)
				return r < 0 ? r : 0;
			snprintf(foreign, sizeof foreign, "%s", path);
		}
	}
	if (exact ? library_is_libc(name + 1) : is_in_libc(name, strlen(name)))
		return 0;
	if (foreign[0]) {
		err_set(err, -EINVAL, "%s: not a library that drover-cc made", foreign);
	} else if (exact) {
		err_set(err, -ENOENT, "cannot find %s", name + 1);
	} else {
		err_set(err, -ENOENT, "cannot find lib%s.so or lib%s.a", name, name);
	}
	return err_hint(err, "build that library with CC=drover-cc, and name its folder with -L");
}

/* Members are written to files of their own names, which ar then puts together. */
static int write_members(const struct driver *d, const struct program *p, struct strv *argv,
			 struct err *err)
{
	_cleanup_buf_ struct buf text = {.max = 1u << 20};
	char dir[PATH_MAX], path[PATH_MAX];
	int r = shared_print(&text, &p->shared);

	if (r < 0)
		return err_set(err, r, "cannot name the libraries that this one needs");
	snprintf(path, sizeof path, "%.*s/needed.o", PATH_MAX - 64, d->workdir);
	r = object_write_needed(path, buf_cstr(&text), text.len, err);
	strv_add(argv, path);
	for (size_t i = 0; i < p->n && !r; i++) {
		const struct module *m = &p->modules[i];
		const char *base = strrchr(m->name, '/');
		size_t len = strcspn(base ? ++base : (base = m->name), "()");

		snprintf(dir, sizeof dir, "%.*s/members/%s", PATH_MAX - 64, d->workdir, m->id);
		r = file_mkdir_p(dir, 0700, err);
		snprintf(path, sizeof path, "%.*s/%.*s", PATH_MAX - 256, dir, (int)len, base);
		if (!r)
			r = file_write(path, m->file.data, m->file.len, 0600, err);
		strv_add(argv, path);
	}
	return r;
}

int library_write(const struct driver *d, const struct program *p, const char *output,
		  struct err *err)
{
	struct strv argv = {0};
	char path[PATH_MAX];
	struct run run;
	int r;

	snprintf(path, sizeof path, "%.*s/library", PATH_MAX - 64, d->workdir);
	strv_add(&argv, DROVER_AR);
	strv_add(&argv, "qcsD");
	strv_add(&argv, path);
	r = write_members(d, p, &argv, err);
	if (!r)
		r = run_start(&run, &argv, NULL, d->options.verbose, err);
	strv_free(&argv);
	if (!r && run_wait(&run))
		r = err_set(err, -EIO, "cannot put %s together", output);
	return r ? r : program_put_in_place(path, output, err);
}
