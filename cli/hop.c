/*
 * drover hop: modes, and what is printed. See hop.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "binaries/bundle/bundle.h"
#include "cli/commands.h"
#include "cli/hop.h"
#include "cli/hop_options.h"
#include "common/clock.h"
#include "common/file.h"
#include "kernels/satellite.h"
#include "migrator/image/state_image.h"

static const char *const mode_names[] = {"every", "at", "each"};

/* ---- the program ---------------------------------------------------------- */

static void program_close(struct hop_program *p)
{
	for (int i = 0; i < ISA_COUNT; i++)
		if (p->half_fd[i] >= 0)
			close(p->half_fd[i]);
	free((void *)(uintptr_t)p->argv);
	if (p->image)
		image_program_free((struct image_program *)(uintptr_t)p->image);
	free((void *)(uintptr_t)p->image);
	bundle_free((struct bundle *)(uintptr_t)p->bundle);
}

static int program_open(struct hop_program *p, const struct hop_options *o, struct err *e)
{
	struct satellite_info info;
	struct image_program *image;
	struct bundle *b;
	const char **argv;
	int r;

	*p = (struct hop_program){.path = o->bundle, .half_fd = {-1, -1}};
	p->envp = (const char *const *)(uintptr_t)environ;
	r = bundle_open(o->bundle, &b, e);
	if (r < 0)
		return r;
	p->bundle = b;
	image = calloc(1, sizeof(*image));
	p->image = image;
	if (!image)
		return err_sys(e, -ENOMEM, "cannot run %s", o->bundle);
	r = image_program_open(b, image, e);
	if (r < 0)
		return r;
	argv = calloc((size_t)o->nargs + 2, sizeof(*argv));
	if (!argv)
		return err_sys(e, -ENOMEM, "cannot run %s", o->bundle);
	argv[0] = o->bundle;
	for (int i = 0; i < o->nargs; i++)
		argv[i + 1] = o->args[i];
	p->argv = argv;
	for (int i = 0; i < ISA_COUNT; i++) {
		if (!bundle_has(b, (enum isa)i))
			return err_set(e, -ENOEXEC, "%s has no half for %s", o->bundle,
				       isa_name((enum isa)i));
		satellite_process.probe((enum isa)i, &info);
		if (info.mode == SATELLITE_UNAVAILABLE)
			return err_set(e, -ENOEXEC, "cannot run %s programs: %s",
				       isa_name((enum isa)i), info.reason);
		p->emulated[i] = info.mode == SATELLITE_EMULATED;
		p->half_fd[i] = bundle_half_fd(b, (enum isa)i, e);
		if (p->half_fd[i] < 0)
			return p->half_fd[i];
	}
	return 0;
}

/* ---- standard input, read once and replayed -------------------------------- */

struct replay {
	char dir[PATH_MAX];
	char path[PATH_MAX + 16];
	bool used;
};

/* A file with a name, not a memory file: the runtime opens it again by path after a move. */
static int replay_open(struct replay *s, struct err *e)
{
	_cleanup_close_ int out = -1;
	char chunk[65536];
	struct stat st;

	s->used = false;
	if (isatty(STDIN_FILENO) || fstat(STDIN_FILENO, &st) < 0 || S_ISCHR(st.st_mode))
		return 0;
	if (file_temp_dir("drover-hop", s->dir, sizeof(s->dir), e) < 0)
		return e->code;
	s->used = true;
	(void)snprintf(s->path, sizeof(s->path), "%s/stdin", s->dir);
	out = open(s->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(e, -errno, "cannot keep standard input in %s", s->path);
	for (;;) {
		ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, -errno, "cannot read standard input");
		if (n == 0)
			return 0;
		r = file_write_all(out, chunk, (size_t)n);
		if (r < 0)
			return err_sys(e, r, "cannot keep standard input in %s", s->path);
	}
}

static void replay_close(const struct replay *s)
{
	if (s->used)
		(void)file_remove_tree(s->dir, NULL);
}

static int captured_run(const struct hop_program *p, const struct hop_plan *plan,
			const struct replay *in, struct hop_run *run, struct err *e)
{
	_cleanup_close_ int fd = in->used ? open(in->path, O_RDONLY | O_CLOEXEC) : -1;
	struct hop_streams streams = {.in = fd, .capture = true};

	return hop_run(p, plan, &streams, run, e);
}

/* ---- modes ------------------------------------------------------------------ */

static struct hop_plan make_plan(const struct hop_options *o)
{
	return (struct hop_plan){
		.from = o->from,
		.starts = &o->n,
		.nstarts = 1,
		.step = o->mode == MODE_EVERY ? o->n : 1,
		.again = o->mode == MODE_EVERY,
		.hops = o->hops,
		.timeout_ns = o->timeout_s * NS_PER_S,
		.apart = o->apart,
		.in_place = o->in_place,
		.image = o->image,
	};
}

static int add_run(struct hop_report *r, const struct hop_run *run)
{
	r->runs++;
	r->moves += run->moves;
	r->deferred += run->deferred;
	r->refused += run->refused;
	r->tried++;
	r->unmoved += run->moves == 0;
	(void)snprintf(r->why, sizeof(r->why), "%s", run->why);
	return hop_report_add_times(r, run->times, run->ntimes);
}

/* One moved run against the reference. */
static int compare_once(const struct hop_program *p, const struct hop_plan *plan,
			const struct replay *in, const struct hop_run *ref, struct hop_report *r,
			struct err *e)
{
	struct hop_run run;
	char text[384];
	int rc = captured_run(p, plan, in, &run, e);

	if (rc == 0) {
		rc = add_run(r, &run);
		if (rc == 0 && !hop_compare(ref, &run, text, sizeof(text)))
			rc = hop_report_add_difference(r, plan->starts[0], text);
	}
	hop_run_free(&run);
	return rc;
}

static int run_compared(const struct hop_options *o, const struct hop_program *p,
			struct hop_report *report, struct err *e)
{
	struct hop_plan plan = make_plan(o), unmoved = plan;
	struct replay in = {.used = false};
	struct hop_run ref = {.out_fd = -1, .err_fd = -1};
	struct hop_each each = {.plan = plan,
				.stride = o->stride,
				.sample = o->sample,
				.per_run = o->per_run,
				.jobs = (unsigned int)o->jobs,
				.progress = isatty(STDERR_FILENO) && !o->json};
	int rc;

	unmoved.nstarts = 0;
	unmoved.image = NULL;
	rc = replay_open(&in, e);
	if (rc == 0)
		rc = captured_run(p, &unmoved, &in, &ref, e);
	if (rc < 0)
		(void)err_wrap(e, "unmoved run");
	report->compared = true;
	report->points = ref.points;
	report->wait_status = ref.wait_status;
	if (in.used)
		each.stdin_path = in.path;
	if (rc == 0)
		rc = o->mode == MODE_EACH ? hop_each(p, &each, &ref, report, e)
					  : compare_once(p, &plan, &in, &ref, report, e);
	hop_run_free(&ref);
	replay_close(&in);
	return rc;
}

static int run_through(const struct hop_options *o, const struct hop_program *p,
		       struct hop_report *report, struct err *e)
{
	struct hop_plan plan = make_plan(o);
	struct hop_streams streams = {.in = STDIN_FILENO, .capture = false};
	struct hop_run run;
	int rc = hop_run(p, &plan, &streams, &run, e);

	if (rc == 0)
		rc = add_run(report, &run);
	report->points = run.points;
	report->wait_status = run.wait_status;
	hop_run_free(&run);
	return rc;
}

/* Ends as the program ended: with its status, or by its signal (without another core dump). */
static int pass_on(int status)
{
	if (WIFSIGNALED(status)) {
		struct rlimit none = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)fflush(NULL);
		(void)signal(WTERMSIG(status), SIG_DFL);
		(void)raise(WTERMSIG(status));
		return 128 + WTERMSIG(status);
	}
	return WEXITSTATUS(status);
}

/* To a file if one was asked for: the program's streams stay as it left them. */
static int put_report(const struct hop_options *o, const struct hop_program *prog,
		      const struct hop_plan *plan, const struct hop_report *report, struct err *e)
{
	FILE *out = o->compare ? stdout : stderr;

	if (o->report)
		return hop_append_json(o->report, prog, plan, report, e);
	if (o->json)
		hop_print_json(out, prog, plan, report);
	else if (o->compare || o->verbose)
		hop_print_text(out, prog, plan, report);
	else if (report->deferred || report->refused)
		(void)fprintf(stderr, "drover hop: %s\n", report->why);
	return 0;
}

static int cmd_hop(int argc, char **argv)
{
	struct hop_report report = {0};
	struct hop_program prog;
	struct hop_options o;
	struct hop_plan plan;
	struct err e = ERR_INIT;
	int rc = hop_options_parse(&o, argc, argv);

	if (rc >= 0)
		return rc;
	plan = make_plan(&o);
	report.mode = mode_names[o.mode];
	rc = program_open(&prog, &o, &e);
	if (rc == 0)
		rc = o.compare ? run_compared(&o, &prog, &report, &e)
			       : run_through(&o, &prog, &report, &e);
	if (rc == 0)
		rc = put_report(&o, &prog, &plan, &report, &e);
	if (rc < 0)
		err_print("drover hop", &e);
	program_close(&prog);
	hop_report_free(&report);
	if (rc < 0)
		return EXIT_DROVER;
	return report.ndifferences ? EXIT_DIFFERENT : pass_on(report.wait_status);
}

const struct command command_hop = {
	"hop",   "BUNDLE [-- ARGUMENT...]", "run a bundle here and move it between the ISAs",
	cmd_hop, hop_long_options,          hop_help};
