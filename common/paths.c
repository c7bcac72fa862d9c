#include "common/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/compiler.h"

static int put(char *out, size_t size, const char *a, const char *b)
{
	int n = snprintf(out, size, "%s%s", a, b);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* The directory of the running program, without a slash behind it. */
static int exe_dir(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	if (n < 0)
		return -errno;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

int paths_libdir(char *out, size_t size)
{
	static const char *const beside[] = {"/stage/lib/drover", "/../lib/drover"};
	const char *env = getenv("DROVER_LIBDIR");
	char dir[PATH_MAX];

	if (env && *env)
		return put(out, size, env, "");
	if (exe_dir(dir, sizeof(dir)) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
			if (put(out, size, dir, beside[i]) == 0 && access(out, X_OK) == 0)
				return 0;
	return put(out, size, PKGLIBDIR, "");
}

static int in_path(const char *name, char *out, size_t size)
{
	const char *p = getenv("PATH");

	while (p && *p) {
		size_t len = strcspn(p, ":");
		int n = snprintf(out, size, "%.*s/%s", (int)len, p, name);

		if (len && n > 0 && (size_t)n < size && access(out, X_OK) == 0)
			return 0;
		p += len;
		p += *p == ':';
	}
	return -ENOENT;
}

int paths_program(const char *name, char *out, size_t size)
{
	static const char *const beside[] = {"/",           "/../bin/",     "/../sbin/",
					     "/../../bin/", "/../../sbin/", "/../lib/drover/",
					     "/../"};
	char dir[PATH_MAX], lib[PATH_MAX];

	if (exe_dir(dir, sizeof(dir)) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
			int n = snprintf(out, size, "%s%s%s", dir, beside[i], name);

			if (n > 0 && (size_t)n < size && access(out, X_OK) == 0)
				return 0;
		}
	if (paths_libdir(lib, sizeof(lib)) == 0) {
		int n = snprintf(out, size, "%s/%s", lib, name);

		if (n > 0 && (size_t)n < size && access(out, X_OK) == 0)
			return 0;
	}
	return in_path(name, out, size);
}

/* $<xdg>/drover, else ~/<home_sub>/drover. */
static int user_dir(const char *xdg, const char *home_sub, char *out, size_t size)
{
	const char *v = getenv(xdg), *home = getenv("HOME");
	int n;

	if (v && *v == '/')
		return put(out, size, v, "/drover");
	if (!home || *home != '/')
		home = "/tmp";
	n = snprintf(out, size, "%s/%s/drover", home, home_sub);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int paths_state_dir(char *out, size_t size)
{
	if (geteuid() == 0)
		return put(out, size, LOCALSTATEDIR, "/lib/drover");
	return user_dir("XDG_STATE_HOME", ".local/state", out, size);
}

int paths_runtime_dir(char *out, size_t size)
{
	const char *v = getenv("XDG_RUNTIME_DIR");
	int n;

	if (geteuid() == 0)
		return put(out, size, "/run/drover", "");
	if (v && *v == '/')
		return put(out, size, v, "/drover");
	n = snprintf(out, size, "/tmp/drover-%u", (unsigned int)geteuid());
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int paths_cache_dir(char *out, size_t size)
{
	const char *v = getenv("XDG_CACHE_HOME");

	if (geteuid() == 0 && !(v && *v == '/'))
		return put(out, size, "/var/cache/drover", "");
	return user_dir("XDG_CACHE_HOME", ".cache", out, size);
}

int paths_dashboard(char *out, size_t size)
{
	static const char *const beside[] = {"/stage/share/drover/dashboard",
					     "/../share/drover/dashboard"};
	const char *env = getenv("DROVER_DASHBOARD");
	char dir[PATH_MAX];

	if (env && *env)
		return put(out, size, env, "");
	if (exe_dir(dir, sizeof(dir)) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
			if (put(out, size, dir, beside[i]) == 0 && access(out, X_OK) == 0)
				return 0;
	return put(out, size, PKGDATADIR, "/dashboard");
}
