/* Reading traces of either form: see trace.h. */
#include "scheduler/replay/trace.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "agent/meter/profile.h"
#include "common/buf.h"
#include "workloads/waves/waves.h"

#define CHUNK (1u << 18)

const char *const trace_form_names[] = {"auto", "swf", "waves", NULL};

struct trace_job *trace_add(struct trace *t)
{
	if (t->njobs == TRACE_MAX_JOBS)
		return NULL;
	if (t->njobs == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 256;
		struct trace_job *v = realloc(t->jobs, cap * sizeof(*v));

		if (!v)
			return NULL;
		t->jobs = v;
		t->cap = cap;
	}
	memset(&t->jobs[t->njobs], 0, sizeof(t->jobs[0]));
	return &t->jobs[t->njobs++];
}

void trace_cut(struct trace *t, size_t n)
{
	if (n < t->njobs)
		t->njobs = n;
}

void trace_free(struct trace *t)
{
	free(t->jobs);
	memset(t, 0, sizeof(*t));
}

static int8_t find(const char *const *names, const char *name)
{
	for (int8_t i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return TRACE_NO_KERNEL;
}

bool trace_set_kernel(struct trace_job *j, const char *program, char class, uint32_t repeat)
{
	const char name[2] = {class, '\0'};
	int8_t kernel = find(profile_kernels, program), c = find(profile_classes, name);

	if (kernel == TRACE_NO_KERNEL || c == TRACE_NO_KERNEL)
		return false;
	j->kernel = kernel;
	j->class = c;
	j->repeat = repeat;
	j->program = (uint32_t)(kernel * PROFILE_CLASSES + c + 1);
	return true;
}

static int take_wave(struct trace *t, const struct wave_job *w, struct err *e)
{
	struct trace_job *j = trace_add(t);

	if (!j)
		return err_set(e, -ENOMEM, "no memory for the trace");
	j->number = t->njobs;
	j->submit_ms = w->arrival_ms;
	j->after_ends = w->after_ends;
	j->cpus = w->cpus;
	j->busy = 1;
	if (!trace_set_kernel(j, w->kind.program, w->kind.class, w->kind.repeat))
		return err_set(e, -EINVAL,
			       "job %zu runs '%.31s': no machine profile says how long that takes",
			       t->njobs, w->kind.program);
	return 0;
}

static int take_waves(const struct wave_trace *w, struct trace *t, struct err *e)
{
	int rc = 0;

	t->form = TRACE_WAVES;
	for (size_t i = 0; !rc && i < w->njobs; i++)
		rc = take_wave(t, &w->jobs[i], e);
	return rc;
}

int trace_of_waves(const struct wave_trace *w, struct trace *t, struct err *e)
{
	int rc;

	*t = (struct trace){0};
	rc = take_waves(w, t, e);
	if (rc)
		trace_free(t);
	return rc;
}

static int read_waves(const char *text, size_t len, struct trace *t, struct err *e)
{
	struct wave_trace w;
	int rc = wave_read(text, len, &w, e);

	if (rc)
		return rc;
	rc = take_waves(&w, t, e);
	wave_trace_free(&w);
	return rc;
}

int trace_read(const char *text, size_t len, enum trace_form form, struct trace *t, struct err *e)
{
	size_t i = 0;
	int rc;

	*t = (struct trace){0};
	while (i < len && strchr(" \t\r\n", text[i]) && text[i])
		i++;
	if (form == TRACE_AUTO)
		form = i < len && text[i] == '{' ? TRACE_WAVES : TRACE_SWF;
	t->form = form;
	rc = form == TRACE_WAVES ? read_waves(text, len, t, e) : trace_read_swf(text, len, t, e);
	if (rc)
		trace_free(t);
	return rc;
}

static int inflate_file(gzFile f, struct buf *b, struct err *e)
{
	for (;;) {
		void *room;
		int n, code, rc = buf_reserve(b, CHUNK, &room);

		if (rc)
			return err_set(e, rc, "more than %zu bytes of trace, or no memory", b->max);
		n = gzread(f, room, CHUNK);
		if (n < 0)
			return err_set(e, -EIO, "the trace cannot be read: %s", gzerror(f, &code));
		if (n == 0)
			return 0;
		buf_added(b, (size_t)n);
	}
}

int trace_load(const char *path, enum trace_form form, struct trace *t, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	gzFile f = gzopen(path, "rbe");
	int rc;

	*t = (struct trace){0};
	if (!f)
		return err_sys(e, errno ? -errno : -ENOMEM, "cannot read the trace");
	buf_init(&b, TRACE_MAX_BYTES);
	rc = inflate_file(f, &b, e);
	/* A file that is cut within its compressed data says so only here. */
	if (gzclose_r(f) != Z_OK && !rc)
		rc = err_set(e, -EIO, "the compressed trace ends too early");
	if (rc)
		return rc;
	return trace_read(buf_cstr(&b), b.len, form, t, e);
}
