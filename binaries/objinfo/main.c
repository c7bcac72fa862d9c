/* drover-objinfo: what is in a bundle, a multi-ISA object or an archive of them. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/machine/half.h"
#include "binaries/object/shared.h"
#include "binaries/objinfo/check.h"
#include "binaries/objinfo/image.h"
#include "binaries/objinfo/json.h"
#include "binaries/objinfo/report.h"
#include "binaries/objinfo/text.h"
#include "common/compiler.h"
#include "config.h"

static const char usage[] =
	"usage: drover-objinfo [options] FILE...\n"
	"\n"
	"Shows what a bundle, a multi-ISA object or an archive of objects holds.\n"
	"\n"
	"  --functions   functions that may migrate\n"
	"  --sites       their sites and what each saves\n"
	"  --blocked     functions that never migrate, and why\n"
	"  --symbols     symbols and their addresses in both halves\n"
	"  --image FILE  a state image of the bundle: its stack, memory and descriptors\n"
	"  --against FILE  with --image: where this state image of the same point differs;\n"
	"                exit status 1 if a word does that must not\n"
	"  --check       prove again that the halves agree, and follow what the machine\n"
	"                code of each saves; exit status 1 if something is wrong\n"
	"  --extract ISA the half for x86_64 or aarch64, to standard output\n"
	"  --json        as JSON\n"
	"  --help, --version\n";

/* Both halves against each other, then the machine code of each. */
static int check(const struct bundle *b, const struct transform *t, const struct symbols *s,
		 const struct view *view, struct err *err)
{
	int r = check_bundle(b, t, s, err);

	if (!r && !view->json)
		printf("check      all that must agree does\n");
	for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
		struct machine_found found = {0};

		r = machine_check_half(b, (enum isa)isa, t, &found, err);
		if (!r && !view->json)
			printf("check      %s: %zu functions and clones, %zu landing pads, "
			       "%zu stores of saved state\n",
			       isa_name((enum isa)isa), found.functions, found.pads, found.stores);
	}
	return r;
}

static int show_bundle(const char *path, const struct bundle *b, const struct view *view,
		       struct err *err)
{
	struct transform t = {0};
	struct symbols s = {0};
	size_t len;
	const char *text = bundle_transform(b, ISA_X86_64, &len);
	int r = transform_parse(&t, text ? text : "", len, err);

	if (!r)
		r = symbols_read(&s, b, err);
	if (!r && view->json) {
		r = json_bundle(path, b, &t, &s, view);
		if (r < 0)
			err_set(err, r, "out of memory");
	} else if (!r) {
		text_bundle(path, b, &t, &s, view);
	}
	if (!r && view->check)
		r = check(b, &t, &s, view, err);
	symbols_free(&s);
	transform_free(&t);
	return r < 0 ? err_wrap(err, "%s", path) : 0;
}

static int extract(const char *isa_given, const struct bundle *b, struct err *err)
{
	int isa = isa_parse(isa_given);
	const void *data;
	size_t len = 0;

	if (isa < 0)
		return err_set(err, -EINVAL, "'%s' is no ISA: x86_64 or aarch64", isa_given);
	data = bundle_half_data(b, (enum isa)isa, &len);
	if (!data)
		return err_set(err, -ENOENT, "there is no half for %s", isa_given);
	if (fwrite(data, 1, len, stdout) != len || fflush(stdout))
		return err_sys(err, -EIO, "cannot write the half");
	return 0;
}

static int show_object(const char *name, const void *data, size_t len, const struct view *view,
		       struct err *err)
{
	struct object o;
	int r = object_read(&o, data, len, name, err);

	if (r < 0)
		return r;
	if (view->json)
		r = json_object_file(name, &o, view);
	else
		text_object(name, &o, view);
	object_free(&o);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

static int show_archive(const char *path, const struct view *view, struct err *err)
{
	struct archive a;
	int r = archive_read(&a, path, err);

	for (size_t i = !r && shared_is(&a) ? 1 : 0; !r && i < a.n; i++) {
		_cleanup_free_ char *name = NULL;

		if (asprintf(&name, "%s(%s)", path, a.members[i].name) < 0)
			r = err_set(err, -ENOMEM, "out of memory");
		else
			r = show_object(name, a.members[i].data, a.members[i].len, view, err);
	}
	archive_free(&a);
	return r;
}

static int show(const char *path, const struct view *view, struct err *err)
{
	_cleanup_free_ void *data = NULL;
	struct bundle *b = NULL;
	size_t len;
	int r = object_load(path, &data, &len, err);

	if (r < 0)
		return r;
	if (archive_is(data, len))
		return show_archive(path, view, err);
	if (object_is(data, len))
		return show_object(path, data, len, view, err);
	r = bundle_open_data(data, len, path, &b, err);
	if (!r)
		r = view->extract ? extract(view->extract, b, err)
		    : view->image ? image_show(b, view, err)
				  : show_bundle(path, b, view, err);
	bundle_free(b);
	return r;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"functions", no_argument, NULL, 'f'},
		{"sites", no_argument, NULL, 's'},
		{"symbols", no_argument, NULL, 'y'},
		{"blocked", no_argument, NULL, 'b'},
		{"check", no_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{"image", required_argument, NULL, 'i'},
		{"extract", required_argument, NULL, 'x'},
		{"against", required_argument, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};
	struct view view = {0};
	int c, status = 0;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 'j':
			view.json = true;
			break;
		case 'f':
			view.functions = true;
			break;
		case 's':
			view.sites = true;
			break;
		case 'y':
			view.symbols = true;
			break;
		case 'b':
			view.blocked = true;
			break;
		case 'c':
			view.check = true;
			break;
		case 'i':
			view.image = optarg;
			break;
		case 'x':
			view.extract = optarg;
			break;
		case 'a':
			view.against = optarg;
			break;
		case 'V':
			printf("drover-objinfo %s\n", PACKAGE_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind == argc || (view.against && !view.image)) {
		fputs(usage, stderr);
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		struct err err = ERR_INIT;

		if (show(argv[i], &view, &err) < 0) {
			fflush(stdout);
			err_print("drover-objinfo", &err);
			status = 1;
		}
	}
	return status;
}
