/*
 * Compares runs and prints what they came to.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <jansson.h>
#include "cli/hop.h"
#include "common/file.h"

static void describe_status(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, size, "signal %d", WTERMSIG(status));
	else
		(void)snprintf(out, size, "exit status %d", WEXITSTATUS(status));
}

/* Where two spools differ first: -1 nowhere; the line is counted from 1. */
static int64_t first_difference(int a, int b, uint64_t *line)
{
	char ca[65536], cb[65536];
	off_t off = 0;

	*line = 1;
	for (;;) {
		ssize_t na = pread(a, ca, sizeof(ca), off), nb = pread(b, cb, sizeof(cb), off);
		ssize_t n = na < nb ? na : nb;

		for (ssize_t i = 0; i < n; i++) {
			if (ca[i] != cb[i])
				return off + i;
			if (ca[i] == '\n')
				(*line)++;
		}
		if (na != nb)
			return off + n;
		if (n <= 0)
			return -1;
		off += n;
	}
}

/* A printable excerpt of at most 40 bytes from off. */
static void excerpt(int fd, int64_t off, char *out, size_t size)
{
	char raw[40];
	ssize_t n = pread(fd, raw, sizeof(raw), off);
	size_t k = 0;

	for (ssize_t i = 0; i < n && k + 5 < size; i++) {
		unsigned char c = (unsigned char)raw[i];

		if (c == '\n')
			k += (size_t)snprintf(out + k, size - k, "\\n");
		else if (c >= 0x20 && c < 0x7f)
			out[k++] = (char)c;
		else
			k += (size_t)snprintf(out + k, size - k, "\\x%02x", c);
	}
	out[k] = '\0';
}

static bool compare_stream(const char *name, int ref, int run, char *text, size_t size)
{
	char want[128], got[128];
	uint64_t line;
	int64_t off = first_difference(ref, run, &line);

	if (off < 0)
		return true;
	excerpt(ref, off, want, sizeof(want));
	excerpt(run, off, got, sizeof(got));
	(void)snprintf(text, size,
		       "%s differs at byte %" PRId64 " (line %" PRIu64
		       "): expected \"%s\", got \"%s\"",
		       name, off, line, want, got);
	return false;
}

bool hop_compare(const struct hop_run *ref, const struct hop_run *run, char *text, size_t size)
{
	char want[48], got[48], err[160];

	text[0] = '\0';
	if (ref->wait_status != run->wait_status) {
		describe_status(ref->wait_status, want, sizeof(want));
		describe_status(run->wait_status, got, sizeof(got));
		excerpt(run->err_fd, 0, err, sizeof(err));
		(void)snprintf(text, size, "ended with %s, expected %s%s%s", got, want,
			       err[0] ? "; stderr: " : "", err);
		return false;
	}
	return compare_stream("stdout", ref->out_fd, run->out_fd, text, size) &&
	       compare_stream("stderr", ref->err_fd, run->err_fd, text, size);
}

int hop_report_add_times(struct hop_report *r, const struct hop_times *t, size_t n)
{
	if (r->ntimes + n > r->times_cap) {
		size_t cap = r->times_cap ? r->times_cap * 2 : 256;
		struct hop_times *p;

		while (cap < r->ntimes + n)
			cap *= 2;
		p = realloc(r->times, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		r->times = p;
		r->times_cap = cap;
	}
	if (n)
		memcpy(r->times + r->ntimes, t, n * sizeof(*t));
	r->ntimes += n;
	return 0;
}

int hop_report_add_difference(struct hop_report *r, uint64_t at, const char *text)
{
	struct hop_difference *d;

	r->ndifferences++;
	if (r->ndifferences_kept == HOP_DIFFERENCES_MAX)
		return 0;
	if (!r->differences) {
		r->differences = calloc(HOP_DIFFERENCES_MAX, sizeof(*d));
		if (!r->differences)
			return -ENOMEM;
	}
	d = &r->differences[r->ndifferences_kept++];
	d->at = at;
	(void)snprintf(d->text, sizeof(d->text), "%s", text);
	return 0;
}

void hop_report_free(struct hop_report *r)
{
	free(r->differences);
	free(r->times);
	r->differences = NULL;
	r->times = NULL;
}

/* The figures of a move that are summed up. */
static const struct {
	const char *name;
	size_t offset;
} figures[] = {
	{"image_bytes", offsetof(struct hop_times, image_bytes)},
	{"frames", offsetof(struct hop_times, frames)},
	{"depth", offsetof(struct hop_times, depth)},
	{"save_ns", offsetof(struct hop_times, save)},
	{"write_ns", offsetof(struct hop_times, write)},
	{"check_ns", offsetof(struct hop_times, check)},
	{"start_ns", offsetof(struct hop_times, start)},
	{"load_ns", offsetof(struct hop_times, load)},
	{"rebuild_ns", offsetof(struct hop_times, rebuild)},
	{"downtime_ns", offsetof(struct hop_times, downtime)},
};

static uint64_t figure(const struct hop_times *t, size_t i)
{
	uint64_t v;

	memcpy(&v, (const char *)t + figures[i].offset, sizeof(v));
	return v;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct summary {
	uint64_t min, median, max;
};

/* Over the moves away from one ISA, or over all (from < 0). Returns how many. */
static size_t summarize(const struct hop_report *r, size_t fig, int from, struct summary *s)
{
	uint64_t *v = r->ntimes ? malloc(r->ntimes * sizeof(*v)) : NULL;
	size_t n = 0;

	for (size_t i = 0; v && i < r->ntimes; i++)
		if (from < 0 || r->times[i].from == (uint32_t)from)
			v[n++] = figure(&r->times[i], fig);
	if (n) {
		qsort(v, n, sizeof(*v), by_value);
		*s = (struct summary){v[0], v[n / 2], v[n - 1]};
	}
	free(v);
	return n;
}

static json_t *summary_json(const struct hop_report *r, int from)
{
	json_t *o = json_object();
	struct summary s;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		n = summarize(r, i, from, &s);
		if (n)
			(void)json_object_set_new(o, figures[i].name,
						  json_pack("{sI sI sI}", "min", (json_int_t)s.min,
							    "median", (json_int_t)s.median, "max",
							    (json_int_t)s.max));
	}
	(void)json_object_set_new(o, "moves", json_integer((json_int_t)n));
	return o;
}

static json_t *move_json(const struct hop_times *t)
{
	json_t *o = json_pack("{sI ss ss}", "point", (json_int_t)t->point, "from",
			      isa_name((enum isa)t->from), "to",
			      isa_name(isa_other((enum isa)t->from)));

	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		(void)json_object_set_new(o, figures[i].name,
					  json_integer((json_int_t)figure(t, i)));
	return o;
}

/* Program output may be no UTF-8; what is quoted of it was made printable before. */
static json_t *report_json(const struct hop_program *prog, const struct hop_plan *plan,
			   const struct hop_report *r)
{
	int st = r->wait_status;
	json_t *o = json_pack("{ss* ss ss sI sI sI sI sI sI sI ss}", "program", prog->path, "mode",
			      r->mode, "from", isa_name(plan->from), "points",
			      (json_int_t)r->points, "runs", (json_int_t)r->runs, "tried",
			      (json_int_t)r->tried, "unmoved", (json_int_t)r->unmoved, "migrations",
			      (json_int_t)r->moves, "deferred", (json_int_t)r->deferred, "refused",
			      (json_int_t)r->refused, "reason", r->why);
	json_t *sum = json_object(), *diff = json_array();

	(void)json_object_set_new(o, "status",
				  json_pack("{si si}", "exit", WIFEXITED(st) ? WEXITSTATUS(st) : 0,
					    "signal", WIFSIGNALED(st) ? WTERMSIG(st) : 0));
	if (r->compared) {
		(void)json_object_set_new(o, "equal", json_boolean(r->ndifferences == 0));
		(void)json_object_set_new(o, "different",
					  json_integer((json_int_t)r->ndifferences));
	}
	for (size_t i = 0; i < r->ndifferences_kept; i++)
		(void)json_array_append_new(diff, json_pack("{sI ss}", "at",
							    (json_int_t)r->differences[i].at,
							    "text", r->differences[i].text));
	(void)json_object_set_new(o, "differences", diff);
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		if (prog->emulated[isa])
			(void)json_object_set_new(o, "emulated",
						  json_string(isa_name((enum isa)isa)));
		(void)json_object_set_new(sum, isa == ISA_X86_64 ? "from_x86_64" : "from_aarch64",
					  summary_json(r, isa));
	}
	(void)json_object_set_new(sum, "all", summary_json(r, -1));
	(void)json_object_set_new(o, "summary", sum);
	return o;
}

void hop_print_json(FILE *out, const struct hop_program *prog, const struct hop_plan *plan,
		    const struct hop_report *r)
{
	json_t *o = report_json(prog, plan, r), *a = json_array();
	char *text;

	if (strcmp(r->mode, "each") != 0) {
		for (size_t i = 0; i < r->ntimes; i++)
			(void)json_array_append_new(a, move_json(&r->times[i]));
		(void)json_object_set_new(o, "moves", a);
	} else {
		json_decref(a);
	}
	/* In one piece: standard error has no buffer. */
	text = json_dumps(o, JSON_INDENT(1));
	(void)fprintf(out, "%s\n", text ? text : "");
	free(text);
	json_decref(o);
}

int hop_append_json(const char *path, const struct hop_program *prog, const struct hop_plan *plan,
		    const struct hop_report *r, struct err *e)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	json_t *o = report_json(prog, plan, r);
	char *text = json_dumps(o, JSON_COMPACT), *line = NULL;
	int len = text ? asprintf(&line, "%s\n", text) : -1, rc;

	/* One write: lines of runs that end at the same time don't mix. */
	rc = fd < 0 ? -errno : len < 0 ? -ENOMEM : file_write_all(fd, line, (size_t)len);
	if (len >= 0)
		free(line);
	free(text);
	json_decref(o);
	return rc < 0 ? err_sys(e, rc, "cannot add the report to %s", path) : 0;
}

void hop_print_text(FILE *out, const struct hop_program *prog, const struct hop_plan *plan,
		    const struct hop_report *r)
{
	struct summary s;

	(void)fprintf(out,
		      "%s: %" PRIu64 " points, %" PRIu64 " run%s, %" PRIu64 " migration%s, from %s",
		      prog->path, r->points, r->runs, r->runs == 1 ? "" : "s", r->moves,
		      r->moves == 1 ? "" : "s", isa_name(plan->from));
	for (int isa = 0; isa < ISA_COUNT; isa++)
		if (prog->emulated[isa])
			(void)fprintf(out, " (%s emulated)", isa_name((enum isa)isa));
	(void)fputc('\n', out);
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		if (summarize(r, i, -1, &s))
			(void)fprintf(out,
				      "  %-12s min %10" PRIu64 "  median %10" PRIu64
				      "  max %10" PRIu64 "\n",
				      figures[i].name, s.min, s.median, s.max);
	if (r->deferred || r->refused)
		(void)fprintf(out, "  %" PRIu64 " deferred, %" PRIu64 " refused; last: %s\n",
			      r->deferred, r->refused, r->why);
	if (r->unmoved)
		(void)fprintf(out, "  no move from %" PRIu64 " of %" PRIu64 " points\n", r->unmoved,
			      r->tried);
	for (size_t i = 0; i < r->ndifferences_kept; i++)
		(void)fprintf(out, "  moved at %" PRIu64 ": %s\n", r->differences[i].at,
			      r->differences[i].text);
	if (r->compared && r->ndifferences)
		(void)fprintf(out, "different: %" PRIu64 " of %" PRIu64 " runs\n", r->ndifferences,
			      r->runs);
	else if (r->compared)
		(void)fprintf(out, "identical\n");
}
