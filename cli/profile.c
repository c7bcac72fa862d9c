/*
 * drover profile: measures this machine and writes its machine profile (docs/formats/profile.md):
 * each kernel's time, footprint and dirty rate, and its power if there is a meter. What cannot be
 * measured here is taken from another profile and says so, or is left out.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/meter/meter.h"
#include "agent/meter/profile.h"
#include "cli/commands.h"
#include "cli/measure.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/isa.h"
#include "common/json.h"

#define MAX_CORES 4096
#define IDLE_S    3.0
#define BUSY_S    5.0

static const char usage[] =
	"usage: drover profile [--name NAME] [--classes LIST] [--like PROFILE] [--output FILE]\n"
	"Measures this machine and writes its profile: power, and per kernel and class the time,\n"
	"the footprint and the dirty rate. Best on an idle machine.\n\n"
	"  -n, --name NAME      the profile's name (default: this host's)\n"
	"  -c, --classes LIST   of S,W,A,B,C (default S,W,A; B takes minutes, C longer)\n"
	"  -l, --like PROFILE   whose power to assume where no meter can be read (default: the "
	"ISA's)\n"
	"  -o, --output FILE    write there instead of standard output\n"
	"  -h, --help           this text\n";

struct work {
	char name[PROFILE_NAME_MAX];
	bool classes[PROFILE_CLASSES];
	const char *like;
	const char *output;
	unsigned int cores;
	struct measure runs[PROFILE_KERNELS][PROFILE_CLASSES];
	enum dirty_method dirty;
	char cpu[64];
	double ghz;
};

static int parse_classes(const char *text, bool classes[PROFILE_CLASSES])
{
	memset(classes, 0, PROFILE_CLASSES * sizeof(*classes));
	for (;; text += 2) {
		int c = 0;

		while (c < PROFILE_CLASSES && profile_classes[c][0] != text[0])
			c++;
		if (c == PROFILE_CLASSES || (text[1] && text[1] != ','))
			return -EINVAL;
		classes[c] = true;
		if (!text[1])
			return 0;
	}
}

/* Model and clock rate, as far as the kernel says. */
static void read_cpu(struct work *w)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[512];
	double mhz;

	(void)snprintf(w->cpu, sizeof(w->cpu), "%s processor", isa_name(isa_host()));
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		line[strcspn(line, "\n")] = '\0';
		if (colon && colon[1] && !strncmp(line, "model name", 10))
			(void)snprintf(w->cpu, sizeof(w->cpu), "%.60s", colon + 2);
		if (sscanf(line, "cpu MHz : %lf", &mhz) == 1 && mhz > w->ghz * 1000)
			w->ghz = mhz / 1000;
	}
	if (f)
		(void)fclose(f);
}

static json_t *value(double v, const char *kind, const char *source)
{
	return json_pack("{s:f, s:s, s:s}", "value", v, "kind", kind, "source", source);
}

/* Mean watts of m over some seconds. */
static int mean_watts(struct meter *m, double seconds, double *watts, struct err *e)
{
	struct meter_input in = {.now_ns = clock_monotonic_ns()};
	uint64_t begin = in.now_ns;
	struct meter_delta d = {0};
	int rc = meter_read(m, &in, &d, e);

	if (rc < 0)
		return rc;
	begin = in.now_ns;
	measure_sleep(seconds);
	in.now_ns = clock_monotonic_ns();
	rc = meter_read(m, &in, &d, e);
	if (rc < 0)
		return rc;
	if (rc == 0 || d.gap_ms)
		return err_set(e, -EAGAIN, "the meter left a gap");
	*watts = (double)d.energy_uj * 1e3 / (double)(in.now_ns - begin);
	return 0;
}

/* Idle and peak power by powercap, all cores running EP. */
static int meter_power(const struct work *w, double *idle_w, double *peak_w, struct err *e)
{
	const struct meter_config c = {0};
	char program[1024];
	struct meter *m;
	pid_t pids[MAX_CORES];
	unsigned int n = 0;
	int rc = meter_open("powercap", false, &c, &m, e);

	if (rc)
		return rc;
	(void)fprintf(stderr, "power: idle for %.0f s, then EP on all cores for %.0f s\n", IDLE_S,
		      BUSY_S);
	rc = mean_watts(m, IDLE_S, idle_w, e);
	if (!rc)
		rc = measure_program("ep", program, sizeof(program), e);
	while (!rc && n < w->cores) {
		rc = measure_start(program, "C", &pids[n], e);
		n += !rc;
	}
	if (!rc)
		rc = mean_watts(m, BUSY_S, peak_w, e);
	while (n)
		measure_stop(pids[--n]);
	meter_close(m);
	return rc;
}

static int add_power(const struct work *w, json_t *out, struct err *e)
{
	double idle_w = 0, peak_w = 0;
	char source[256];
	struct err why = ERR_INIT;
	struct profile p;
	int rc;

	if (meter_power(w, &idle_w, &peak_w, &why) == 0 && peak_w > idle_w && idle_w > 0) {
		(void)snprintf(source, sizeof(source), "powercap (processor and memory), %.0f s",
			       IDLE_S);
		json_object_set_new(out, "scope", json_string("processor"));
		json_object_set_new(out, "idle_w", value(idle_w, "measured", source));
		json_object_set_new(out, "core_w",
				    value((peak_w - idle_w) / w->cores, "measured",
					  "(peak_w - idle_w) / cores"));
		json_object_set_new(out, "peak_w",
				    value(peak_w, "measured", "powercap, EP on every core"));
		return 0;
	}
	rc = profile_load(w->like, &p, e);
	if (rc)
		return rc;
	(void)fprintf(stderr, "power: no meter can be read here (%s); assuming that of %s\n",
		      why.msg[0] ? why.msg : "its readings make no sense", p.name);
	(void)snprintf(source, sizeof(source),
		       "no meter can be read on this machine: taken from %s", p.name);
	json_object_set_new(out, "scope", json_string(p.processor ? "processor" : "machine"));
	json_object_set_new(out, "idle_w", value(p.idle_w.value, "assumed", source));
	json_object_set_new(out, "core_w", value(p.core_w.value, "assumed", source));
	json_object_set_new(out, "peak_w",
			    value(p.idle_w.value + w->cores * p.core_w.value, "assumed",
				  "idle_w + cores * core_w"));
	return 0;
}

static int measure_all(struct work *w, struct err *e)
{
	w->dirty = measure_dirty_method();
	(void)fprintf(stderr, "dirty rate: %s\n", measure_dirty_says(w->dirty));
	for (int k = 0; k < PROFILE_KERNELS; k++) {
		char program[1024];
		int rc = measure_program(profile_kernels[k], program, sizeof(program), e);

		for (int c = 0; !rc && c < PROFILE_CLASSES; c++) {
			struct measure *m = &w->runs[k][c];

			*m = (struct measure){-1, -1, -1, -1};
			if (!w->classes[c])
				continue;
			rc = measure_run(program, profile_classes[c], m, e);
			if (rc == -ENOMEM) {
				*m = (struct measure){-1, -1, -1, -1};
				rc = 0;
				continue;
			}
			if (!rc)
				rc = measure_dirty(program, profile_classes[c], w->dirty, m, e);
			if (!rc)
				(void)fprintf(stderr, "%s %s: %.3f s, %.1f MiB\n",
					      profile_kernels[k], profile_classes[c], m->time_s,
					      m->footprint_mib);
		}
		if (rc)
			return rc;
	}
	return 0;
}

/* One number of every run, `at` bytes into struct measure. */
static json_t *runs(const struct work *w, size_t at, double least, const char *source)
{
	json_t *all = json_object();

	for (int k = 0; k < PROFILE_KERNELS; k++) {
		json_t *kernel = json_object();

		for (int c = 0; c < PROFILE_CLASSES; c++) {
			double v;

			memcpy(&v, (const char *)&w->runs[k][c] + at, sizeof(v));
			if (v >= least)
				json_object_set_new(kernel, profile_classes[c], json_real(v));
		}
		json_object_set_new(all, profile_kernels[k], kernel);
	}
	return json_pack("{s:s, s:s, s:o}", "kind", "measured", "source", source, "runs", all);
}

static int build(struct work *w, json_t *out, struct err *e)
{
	double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
	char title[96], source[512];
	int rc;

	(void)snprintf(title, sizeof(title), "%s, %u cores", w->cpu, w->cores);
	json_object_set_new(out, "version", json_integer(1));
	json_object_set_new(out, "name", json_string(w->name));
	json_object_set_new(out, "title", json_string(title));
	json_object_set_new(out, "isa", json_string(isa_name(isa_host())));
	json_object_set_new(out, "cores", json_integer(w->cores));
	if (w->ghz > 0.01)
		json_object_set_new(out, "ghz", json_real(w->ghz));
	rc = add_power(w, out, e);
	if (!rc)
		rc = measure_all(w, e);
	if (rc)
		return rc;
	json_object_set_new(out, "memory_mib", value(memory, "measured", "as the kernel says"));
	json_object_set_new(out, "time_s",
			    runs(w, offsetof(struct measure, time_s), 1e-6,
				 "time the kernel reports, one thread; median of three if short"));
	json_object_set_new(out, "footprint_mib",
			    runs(w, offsetof(struct measure, footprint_mib), 0.001,
				 "largest resident set of a run"));
	if (w->dirty == DIRTY_NONE)
		return 0;
	(void)snprintf(source, sizeof(source), "distinct %s; mean of %d intervals of %d ms",
		       measure_dirty_says(w->dirty), DIRTY_SAMPLES, DIRTY_INTERVAL_MS);
	json_object_set_new(out, "dirty_mib_s",
			    runs(w, offsetof(struct measure, dirty_mib_s), 0, source));
	return 0;
}

static int make(struct work *w, struct err *e)
{
	_cleanup_json_ json_t *out = json_object();
	char *text;
	struct profile p;
	int rc = build(w, out, e);

	if (rc)
		return rc;
	text = json_dumps(out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	if (!text)
		return err_set(e, -ENOMEM, "no memory for the profile");
	/* What was written is what will be read. */
	rc = profile_parse(text, strlen(text), &p, e);
	if (!rc && w->output) {
		rc = file_write_atomic(w->output, text, strlen(text), 0644, e);
	} else if (!rc && (puts(text) < 0 || fflush(stdout) != 0)) {
		rc = err_set(e, -EIO, "cannot write the profile");
	}
	free(text);
	return rc;
}

/* Measuring takes minutes: known before that the result can be kept. */
static int can_write(const char *path, struct err *e)
{
	_cleanup_free_ char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!dir)
		return err_sys(e, -ENOMEM, "cannot write %s", path);
	if (slash)
		slash[slash == dir] = '\0';
	return access(slash ? dir : ".", W_OK | X_OK) == 0
		       ? 0
		       : err_sys(e, -errno, "cannot write %s", path);
}

static int wrong(const char *text)
{
	(void)fprintf(stderr, "drover profile: %s; try --help\n", text);
	return EXIT_USAGE;
}

static const struct option options[] = {
	{"name", required_argument, NULL, 'n'}, {"classes", required_argument, NULL, 'c'},
	{"like", required_argument, NULL, 'l'}, {"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};

static int cmd_profile(int argc, char **argv)
{
	static struct work w;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct err e = ERR_INIT;
	int opt;

	w.cores = cores < 1 ? 1 : cores > MAX_CORES ? MAX_CORES : (unsigned int)cores;
	w.like = profile_default(isa_host());
	(void)parse_classes("S,W,A", w.classes);
	if (gethostname(w.name, sizeof(w.name) - 1) < 0 || !w.name[0])
		(void)snprintf(w.name, sizeof(w.name), "this-machine");
	while ((opt = getopt_long(argc, argv, "hn:c:l:o:", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			if (!optarg[0] || strlen(optarg) >= sizeof(w.name))
				return wrong("--name is empty or too long");
			(void)snprintf(w.name, sizeof(w.name), "%s", optarg);
			break;
		case 'c':
			if (parse_classes(optarg, w.classes))
				return wrong("--classes takes some of S,W,A,B,C");
			break;
		case 'l':
			w.like = optarg;
			break;
		case 'o':
			w.output = optarg;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			return 0;
		default:
			return wrong("the command line was not understood");
		}
	}
	if (optind < argc)
		return wrong("there is an argument too many");
	read_cpu(&w);
	if ((w.output && can_write(w.output, &e)) || make(&w, &e)) {
		err_print("drover profile", &e);
		return EXIT_DROVER;
	}
	return 0;
}

const struct command command_profile = {
	"profile",   "[OPTION]...", "measure this machine and write its profile",
	cmd_profile, options,       usage};
