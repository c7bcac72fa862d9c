#include "migrator/image/state_image_private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "common/file.h"
#include "migrator/include/abi.h"

_Static_assert(DIGEST_SIZE == DROVER_BUILD_ID_BYTES, "a build id is a SHA-256");

int image_program_open(const struct bundle *b, struct image_program *p, struct err *e)
{
	const struct bundle_manifest *m = bundle_manifest(b);
	const char *text;
	size_t len;

	*p = (struct image_program){.name = m->name,
				    .data_start = m->data_start,
				    .data_end = m->data_end,
				    .text_start = m->text_start,
				    .text_end = m->text_end};
	memcpy(p->build_id, m->build_id, sizeof(p->build_id));
	text = bundle_transform(b, ISA_X86_64, &len);
	if (!text)
		return err_set(e, -EINVAL, "%s has no .state_transform", m->name);
	if (transform_parse(&p->transform, text, len, e) < 0)
		return err_wrap(e, "%s", m->name);
	return 0;
}

void image_program_free(struct image_program *p)
{
	transform_free(&p->transform);
}

void state_image_free(struct state_image *img)
{
	if (!img)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(img->section); i++)
		free(img->section[i]);
	free(img->frames);
	free(img);
}

static int refuse(struct err *e, const char *what)
{
	return err_set(e, -EINVAL, "the state image is refused: %s", what);
}

/* Every section but PAGES; the header was found good, so sizes are bounded. */
static int read_sections(struct state_image *img, int fd, struct err *e)
{
	struct image_parts *p = &img->parts;

	for (uint32_t i = 0; i < img->header.nsections; i++) {
		const struct drover_image_section *s = &img->header.sections[i];
		int r;

		if (s->type == DROVER_SEC_PAGES)
			continue;
		img->section[s->type] = malloc(s->size ? s->size : 1);
		if (!img->section[s->type])
			return err_sys(e, -ENOMEM, "cannot read the state image");
		r = file_pread_all(fd, img->section[s->type], s->size, (off_t)s->offset);
		if (r < 0)
			return err_sys(e, r, "cannot read the state image");
	}
	p->header = &img->header;
	p->process = img->section[DROVER_SEC_PROCESS];
	p->threads = img->section[DROVER_SEC_THREADS];
	p->frames = img->section[DROVER_SEC_FRAMES];
	p->maps = img->section[DROVER_SEC_MAPS];
	p->runs = img->section[DROVER_SEC_RUNS];
	p->files = img->section[DROVER_SEC_FILES];
	p->strings = img->section[DROVER_SEC_STRINGS];
	return 0;
}

static const struct transform_site *site_of(const struct transform *t, const struct frame *f)
{
	return &t->sites[f->fn->first_site + f->site];
}

/* One frame against the function it names and the frame inside it. */
static const char *check_frame(const struct transform *t, const struct frame *f,
			       const struct frame *inner)
{
	const struct transform_site *s;

	if (f->site >= f->fn->nsites)
		return "a frame at a site its function does not have";
	s = site_of(t, f);
	if (s->size != f->size)
		return "a frame of another size than its site saves";
	if ((s->kind == DROVER_SITE_POLL) != (inner == NULL))
		return "a frame that is not at a call, or an innermost one that is not at a point";
	if (inner && s->kind == DROVER_SITE_CALL && strcmp(s->callee, inner->fn->name) != 0)
		return "a frame whose call does not reach the next one";
	return NULL;
}

/* The next record at *at of the first `size` bytes, into *f; inner is the frame it called, or NULL.
 */
static int check_record(struct state_image *img, const struct image_program *p, uint64_t *at,
			uint64_t size, struct frame *f, const struct frame *inner, struct err *e)
{
	struct drover_frame rec;
	const char *what;

	if (size - *at < sizeof(rec))
		return refuse(e, "its frames are cut off");
	memcpy(&rec, img->parts.frames + *at, sizeof(rec));
	if (rec.size > size - *at - sizeof(rec))
		return refuse(e, "its frames are cut off");
	*at += (sizeof(rec) + rec.size + 15) & ~UINT64_C(15);
	if (*at > size)
		return refuse(e, "its frames are cut off");
	*f = (struct frame){inner && inner->fn->id == rec.fn
				    ? inner->fn
				    : transform_find(&p->transform, rec.fn),
			    rec.site, rec.size};
	if (!f->fn)
		return refuse(e, "a frame of a function that is not in this program");
	what = check_frame(&p->transform, f, inner);
	if (what)
		return err_set(e, -EINVAL,
			       "the state image is refused: %s (frame %zu, function %.128s, "
			       "site %u)",
			       what, img->nframes, f->fn->name, f->site);
	return 0;
}

/* Of main's thread. */
static bool is_outermost(const struct transform_fn *fn)
{
	return !strcmp(fn->name, "__drover_program") || !strcmp(fn->name, "main");
}

/* The threads' sizes and counts were found to add up to the section's. */
static int check_frames(struct state_image *img, const struct image_program *p, struct err *e)
{
	const struct drover_image_section *s = image_section(&img->header, DROVER_SEC_FRAMES);
	uint64_t at = 0, end = 0, n = image_section(&img->header, DROVER_SEC_THREADS)->count;

	img->frames = calloc(s->count ? s->count : 1, sizeof(*img->frames));
	if (!img->frames)
		return err_sys(e, -ENOMEM, "cannot read the state image");
	for (uint64_t t = 0; t < n; t++) {
		const struct drover_image_thread *thread = &img->parts.threads[t];

		end += thread->frames_size;
		for (uint32_t i = 0; i < thread->nframes; i++) {
			struct frame *f = &img->frames[img->nframes];
			int r = check_record(img, p, &at, end, f, i ? f - 1 : NULL, e);

			if (r < 0)
				return r;
			img->nframes++;
		}
		if (at != end)
			return refuse(e, "bytes behind a thread's last frame");
		if (!t && thread->nframes && !is_outermost(img->frames[img->nframes - 1].fn))
			return refuse(e, "its outermost function is not main");
	}
	return 0;
}

static int read_checked(struct state_image *img, int fd, const struct image_program *p,
			struct err *e)
{
	struct image_host host = {.data_start = p->data_start,
				  .data_end = p->data_end,
				  .text_start = p->text_start,
				  .text_end = p->text_end,
				  .build_id = p->build_id};
	struct stat st;
	const char *what;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(e, -errno, "cannot read the state image");
	if (st.st_size < (off_t)sizeof(img->header))
		return refuse(e, "it is shorter than its header");
	r = file_pread_all(fd, &img->header, sizeof(img->header), 0);
	if (r < 0)
		return err_sys(e, r, "cannot read the state image");
	what = image_check_header(&img->header, (uint64_t)st.st_size, p->build_id);
	if (what)
		return refuse(e, what);
	r = read_sections(img, fd, e);
	if (r < 0)
		return r;
	/* The address of main isn't in the manifest; the runtime compares it with its own. */
	host.main_fn = img->parts.process->main_fn;
	if (host.main_fn < host.text_start || host.main_fn >= host.text_end)
		return refuse(e, "main is outside the program's text");
	what = image_check_parts(&img->parts, &host);
	if (what)
		return refuse(e, what);
	return check_frames(img, p, e);
}

int state_image_open(int fd, const struct image_program *p, struct state_image **out, struct err *e)
{
	struct state_image *img = calloc(1, sizeof(*img));
	int r;

	*out = NULL;
	if (!img)
		return err_sys(e, -ENOMEM, "cannot read the state image");
	r = read_checked(img, fd, p, e);
	if (r < 0) {
		state_image_free(img);
		return r;
	}
	*out = img;
	return 0;
}

int state_image_check(int fd, const struct image_program *p, struct err *e)
{
	struct state_image *img;
	int r = state_image_open(fd, p, &img, e);

	state_image_free(img);
	return r;
}

/* ---- what it says ----------------------------------------------------------- */

static uint64_t count(const struct state_image *img, uint32_t type)
{
	return image_section(&img->header, type)->count;
}

static const char *writer(const struct state_image *img)
{
	return isa_name(img->header.isa == DROVER_ISA_X86_64 ? ISA_X86_64 : ISA_AARCH64);
}

static const char *file_kind(const struct drover_image_file *f)
{
	static const char *const names[] = {"",         "inherited", "path",  "shared", "reopened",
					    "contents", "pipe",      "pair",  "event",  "timer",
					    "signal",   "epoll",     "given", "socket"};

	return f->kind < ARRAY_SIZE(names) ? names[f->kind] : "";
}

static uint64_t mapped_bytes(const struct state_image *img)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < count(img, DROVER_SEC_MAPS); i++)
		sum += img->parts.maps[i].end - img->parts.maps[i].start;
	return sum;
}

static const char *path_of(const struct state_image *img, const struct drover_image_file *f)
{
	return f->kind == DROVER_FILE_PATH ? img->parts.strings + f->path.offset : "";
}

static void print_frames(const struct state_image *img, const struct image_program *p, FILE *out)
{
	const struct frame *f = img->frames;
	uint64_t n = count(img, DROVER_SEC_THREADS);

	for (uint64_t t = 0; t < n; t++) {
		const struct drover_image_thread *thread = &img->parts.threads[t];

		if (n == 1)
			(void)fprintf(out, "frames (%u), innermost first:\n", thread->nframes);
		else
			(void)fprintf(out, "thread %u%s: frames (%u), innermost first:\n",
				      thread->tid,
				      thread->flags & DROVER_THREAD_ENDED ? " (has ended)" : "",
				      thread->nframes);
		for (uint32_t i = 0; i < thread->nframes; i++, f++)
			(void)fprintf(out, "  #%-4u %-32s %s:%u  site %u, %u bytes\n", i,
				      f->fn->name, f->fn->source, site_of(&p->transform, f)->line,
				      f->site, f->size);
	}
}

void state_image_print(const struct state_image *img, const struct image_program *p, FILE *out)
{
	const struct drover_image_process *proc = img->parts.process;

	(void)fprintf(out,
		      "%s: state image of %" PRIu64 " bytes, written by %s at point %" PRIu64
		      ", capture %" PRIu64 "\n",
		      p->name, img->header.size, writer(img), img->header.points,
		      img->header.captures);
	print_frames(img, p, out);
	(void)fprintf(out,
		      "memory: %" PRIu64 " bytes mapped in %" PRIu64 " maps, %" PRIu64
		      " runs; stack %" PRIu64 " bytes\n",
		      mapped_bytes(img), count(img, DROVER_SEC_MAPS), count(img, DROVER_SEC_RUNS),
		      proc->stack_end - img->parts.threads[0].stack_pointer);
	for (uint64_t i = 0; i < count(img, DROVER_SEC_MAPS); i++) {
		const struct drover_image_map *m = &img->parts.maps[i];

		(void)fprintf(out, "  %010" PRIx64 "-%010" PRIx64 " %c%c%s\n", m->start, m->end,
			      m->prot & 1 ? 'r' : '-', m->prot & 2 ? 'w' : '-',
			      m->flags & DROVER_MAP_STACK ? " stack" : "");
	}
	(void)fprintf(out, "descriptors:\n");
	for (uint64_t i = 0; i < count(img, DROVER_SEC_FILES); i++) {
		const struct drover_image_file *f = &img->parts.files[i];

		(void)fprintf(out, "  %-4u %-9s %s", f->fd, file_kind(f), path_of(img, f));
		if (f->kind == DROVER_FILE_PATH)
			(void)fprintf(out, " at %" PRIu64, f->position);
		if (f->kind == DROVER_FILE_SHARED)
			(void)fprintf(out, "with %u", f->like);
		(void)fputc('\n', out);
	}
	(void)fprintf(out, "cwd: %s\n", img->parts.strings + proc->cwd.offset);
}

json_t *state_image_json(const struct state_image *img, const struct image_program *p)
{
	json_t *o =
		json_pack("{ss ss sI sI sI}", "program", p->name, "isa", writer(img), "bytes",
			  (json_int_t)img->header.size, "points", (json_int_t)img->header.points,
			  "captures", (json_int_t)img->header.captures);
	json_t *frames = json_array(), *maps = json_array(), *files = json_array();

	for (uint64_t t = 0, k = 0; t < count(img, DROVER_SEC_THREADS); t++)
		for (uint32_t i = 0; i < img->parts.threads[t].nframes; i++, k++) {
			const struct frame *f = &img->frames[k];

			(void)json_array_append_new(
				frames, json_pack("{si ss ss si si si}", "thread",
						  (int)img->parts.threads[t].tid, "function",
						  f->fn->name, "file", f->fn->source, "line",
						  (int)site_of(&p->transform, f)->line, "site",
						  (int)f->site, "bytes", (int)f->size));
		}
	for (uint64_t i = 0; i < count(img, DROVER_SEC_MAPS); i++) {
		const struct drover_image_map *m = &img->parts.maps[i];

		(void)json_array_append_new(
			maps, json_pack("{sI sI si sb}", "start", (json_int_t)m->start, "end",
					(json_int_t)m->end, "prot", (int)m->prot, "stack",
					(int)(m->flags & DROVER_MAP_STACK)));
	}
	for (uint64_t i = 0; i < count(img, DROVER_SEC_FILES); i++) {
		const struct drover_image_file *f = &img->parts.files[i];

		(void)json_array_append_new(files,
					    json_pack("{si ss ss* sI}", "fd", (int)f->fd, "kind",
						      file_kind(f), "path", path_of(img, f),
						      "position", (json_int_t)f->position));
	}
	(void)json_object_set_new(o, "frames", frames);
	(void)json_object_set_new(o, "maps", maps);
	(void)json_object_set_new(o, "files", files);
	return o;
}
