#include "binaries/objinfo/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/compiler.h"
#include "migrator/image/differ.h"

/* A state image has a meaning only beside the bundle it was captured from. */
struct opened {
	int fd;
	struct state_image *img;
};

static int open_image(struct opened *o, const char *path, const struct image_program *p,
		      struct err *err)
{
	int r;

	o->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (o->fd < 0)
		return err_sys(err, -errno, "cannot open %s", path);
	r = state_image_open(o->fd, p, &o->img, err);
	return r < 0 ? err_wrap(err, "%s", path) : 0;
}

static void close_image(struct opened *o)
{
	state_image_free(o->img);
	cleanup_close(&o->fd);
}

static int print_image(const struct state_image *img, const struct image_program *p,
		       const struct view *view)
{
	_cleanup_json_ json_t *j = NULL;

	if (!view->json) {
		state_image_print(img, p, stdout);
		return 0;
	}
	j = state_image_json(img, p);
	return !j || json_dumpf(j, stdout, JSON_INDENT(1)) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

/* ---- differences ----------------------------------------------------------- */

struct differences {
	const struct symbols *symbols;
	const struct bundle_manifest *manifest;
	json_t *list;       /* NULL: as text */
	uint64_t secret[2]; /* malloc's, one in each image; 0: they do not differ */
	uint64_t explained, unexplained;
};

/* The variable ADDR lies in: of the moving data, the last that begins at or below it. */
static const struct symbol *variable(const struct differences *d, uint64_t addr)
{
	const struct symbol *best = NULL;

	if (addr < d->manifest->data_start || addr >= d->manifest->data_end)
		return NULL;
	for (size_t i = 0; i < d->symbols->n; i++) {
		const struct symbol *s = &d->symbols->v[i];
		uint64_t at = s->addr[ISA_X86_64];

		if (at >= d->manifest->data_start && at <= addr &&
		    (!best || at > best->addr[ISA_X86_64]))
			best = s;
	}
	return best;
}

/* The C library's malloc marks its groups by a random word of the process. */
static const char *why_secret(struct differences *d, const struct symbol *v,
			      const struct image_difference *i)
{
	if (v && !strcmp(v->name, "__malloc_context") && i->address == v->addr[ISA_X86_64]) {
		d->secret[0] = i->a;
		d->secret[1] = i->b;
	}
	return i->address && d->secret[0] && i->a == d->secret[0] && i->b == d->secret[1]
		       ? "malloc's random word"
		       : NULL;
}

static int take_difference(void *context, const struct image_difference *i)
{
	struct differences *d = context;
	const struct symbol *v = i->address ? variable(d, i->address) : NULL;
	const char *why = i->why ? i->why : why_secret(d, v, i);
	char place[512];

	if (!i->address)
		(void)snprintf(place, sizeof(place), "%s", i->place);
	else if (!v)
		(void)snprintf(place, sizeof(place), "%s %010" PRIx64, i->place, i->address);
	else
		(void)snprintf(place, sizeof(place), "%s %010" PRIx64 " (%.256s+%" PRIu64 ")",
			       i->place, i->address, v->name, i->address - v->addr[ISA_X86_64]);
	if (why)
		d->explained++;
	else
		d->unexplained++;
	if (d->list)
		return json_array_append_new(d->list,
					     json_pack("{ss sI sI ss? sb}", "place", place, "first",
						       (json_int_t)i->a, "second", (json_int_t)i->b,
						       "why", why, "explained", why != NULL))
			       ? -ENOMEM
			       : 0;
	printf("%s: %016" PRIx64 " and %016" PRIx64 ": %s\n", place, i->a, i->b,
	       why ? why : "MUST NOT DIFFER");
	return 0;
}

static int differ(const struct opened *a, const struct opened *b, const struct image_program *p,
		  const struct bundle *bundle, const struct view *view, struct err *err)
{
	struct symbols symbols = {0};
	struct differences d = {.symbols = &symbols, .manifest = bundle_manifest(bundle)};
	_cleanup_json_ json_t *list = view->json ? json_array() : NULL;
	int r = symbols_read(&symbols, bundle, err);

	d.list = list;
	if (!r)
		r = state_image_differ(a->img, a->fd, b->img, b->fd, p, take_difference, &d, err);
	symbols_free(&symbols);
	if (r < 0)
		return r;
	if (!list)
		printf("%" PRIu64 " words differ that may, %" PRIu64 " that must not\n",
		       d.explained, d.unexplained);
	else if (json_dumpf(list, stdout, JSON_INDENT(1)) < 0 || putchar('\n') < 0)
		return -EIO;
	if (d.unexplained)
		return err_set(err, -EILSEQ,
			       "%s and %s differ where they must not (%" PRIu64 " words)",
			       view->image, view->against, d.unexplained);
	return 0;
}

int image_show(const struct bundle *b, const struct view *view, struct err *err)
{
	struct opened first = {.fd = -1}, second = {.fd = -1};
	struct image_program program = {0};
	int r = image_program_open(b, &program, err);

	if (!r)
		r = open_image(&first, view->image, &program, err);
	if (!r && view->against)
		r = open_image(&second, view->against, &program, err);
	if (!r)
		r = view->against ? differ(&first, &second, &program, b, view, err)
				  : print_image(first.img, &program, view);
	close_image(&first);
	close_image(&second);
	image_program_free(&program);
	return r;
}
