/* See machines.h; the file's form is docs/formats/cluster.md. */
#include "scheduler/replay/machines.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/paths.h"

#define MIB               (UINT64_C(1) << 20)
#define IMAGE_PER_CPU_MIB 64 /* what a job without a known footprint is taken to hold a cpu */

double machines_process_factor(unsigned int from_nm, unsigned int to_nm)
{
	double ratio = from_nm && to_nm ? (double)to_nm / from_nm : 1;

	return ratio * ratio;
}

/* ---- the model ---------------------------------------------------------- */

/* Geometric mean of the ratios of run times, 1 if the profiles have none in common. */
static double slowdown(const struct profile *p, const struct profile *reference)
{
	double sum = 0;
	int n = 0;

	for (int k = 0; k < PROFILE_KERNELS; k++)
		for (int c = 0; c < PROFILE_CLASSES; c++) {
			double a = p->time_s.value[k][c], b = reference->time_s.value[k][c];

			if (a > 0 && b > 0) {
				sum += log(a / b);
				n++;
			}
		}
	return n ? exp(sum / n) : 1;
}

static double known(const struct profile_runs *r, const struct trace_job *j)
{
	return j->kernel == TRACE_NO_KERNEL || !r->kind ? -1 : r->value[j->kernel][j->class];
}

double machines_seconds(const struct machine_group *g, const struct trace_job *j)
{
	double t = known(&g->profile.time_s, j);

	if (t > 0)
		return t * j->repeat / j->cpus;
	return j->run_s * g->slowdown;
}

double machines_watts(const struct machine_group *g, const struct trace_job *j)
{
	return g->core_w * j->cpus * (double)j->busy;
}

uint64_t machines_memory(const struct machine_group *g, const struct trace_job *j)
{
	double mib = known(&g->profile.footprint_mib, j);

	return mib > 0 ? (uint64_t)(mib * (double)MIB) : j->memory_bytes;
}

uint64_t machines_image(const struct machine_group *g, const struct trace_job *j)
{
	uint64_t bytes = machines_memory(g, j);

	return bytes ? bytes : IMAGE_PER_CPU_MIB * MIB * j->cpus;
}

uint64_t machines_transfer_ms(const struct machine_group *a, const struct machine_group *b,
			      uint64_t bytes)
{
	double mbit = a->link_mbit < b->link_mbit ? a->link_mbit : b->link_mbit;

	return (uint64_t)ceil((double)bytes * 8 / (mbit * 1000));
}

/* ---- the file ----------------------------------------------------------- */

static int load_profile(const char *name, bool paths, struct profile *p, struct err *e)
{
	if (!paths && strchr(name, '/'))
		return err_set(e, -EINVAL, "profile '%.60s': here profiles are named, not paths",
			       name);
	return profile_load(name, p, e);
}

static double value_or(const struct profile_value *v, double other)
{
	return v->kind == PROFILE_UNKNOWN ? other : v->value;
}

static void from_profile(struct machine_group *g, double power_scale)
{
	const struct profile *p = &g->profile;

	g->idle_w = p->idle_w.value * power_scale;
	g->core_w = p->core_w.value * power_scale;
	g->sleep_w = value_or(&p->sleep_w, p->idle_w.value) * power_scale;
	g->sleep_s = value_or(&p->sleep_s, 0);
	g->wake_s = value_or(&p->wake_s, 0);
	g->wake_j = value_or(&p->wake_j, g->wake_s * p->idle_w.value) * power_scale;
}

static int parse_group(const json_t *v, bool paths, struct machine_group *g, struct err *e)
{
	char profile[1024] = "";
	uint64_t count = 1, cores = 0;
	double memory_mib = -1, link = -1, scale = 1, scaled = -1;
	struct json_fields f;
	int rc;

	json_fields_init(&f, v, "nodes", e);
	json_get_str(&f, "profile", JSON_REQUIRED, profile, sizeof(profile));
	json_get_str(&f, "name", JSON_OPTIONAL, g->prefix, sizeof(g->prefix));
	json_get_u64(&f, "count", JSON_OPTIONAL, 1, MACHINES_MAX_NODES, &count);
	json_get_u64(&f, "cores", JSON_OPTIONAL, 1, 4096, &cores);
	json_get_f64(&f, "memory_mib", JSON_OPTIONAL, 0, 1e9, &memory_mib);
	json_get_f64(&f, "link_mbit", JSON_OPTIONAL, 0.001, 1e9, &link);
	g->sleep = true;
	json_get_bool(&f, "sleep", JSON_OPTIONAL, &g->sleep);
	json_get_f64(&f, "power_scale", JSON_OPTIONAL, 0.001, 1000, &scale);
	json_get_f64(&f, "scaled", JSON_OPTIONAL, 0.001, 1000, &scaled);
	rc = json_fields_end(&f);
	if (!rc)
		rc = load_profile(profile, paths, &g->profile, e);
	if (rc)
		return rc;
	from_profile(g, scale);
	g->count = (uint32_t)count;
	g->cores = cores ? (uint32_t)cores : g->profile.cores;
	if (memory_mib < 0)
		memory_mib = value_or(&g->profile.memory_mib, 0);
	g->memory_bytes = (uint64_t)(memory_mib * (double)MIB);
	g->link_mbit = link > 0 ? link : value_or(&g->profile.link_mbit, MACHINES_LINK_MBIT);
	g->scaled = scaled;
	/* A machine that can't say how it sleeps isn't put to sleep. */
	if (g->profile.sleep_w.kind == PROFILE_UNKNOWN || g->profile.wake_s.kind == PROFILE_UNKNOWN)
		g->sleep = false;
	return 0;
}

static int name_groups(struct machines *m, struct err *e)
{
	for (uint32_t i = 0; i < m->ngroups; i++) {
		struct machine_group *g = &m->groups[i];

		if (!g->prefix[0])
			(void)snprintf(g->prefix, sizeof(g->prefix), "%.28s", g->profile.name);
		for (uint32_t k = 0; k < i; k++)
			if (!strcmp(m->groups[k].prefix, g->prefix))
				return err_set(
					e, -EINVAL,
					"two groups of nodes are called '%s': give them names",
					g->prefix);
		if (g->count > MACHINES_MAX_NODES - m->nnodes)
			return err_set(e, -EINVAL, "more than %u nodes", MACHINES_MAX_NODES);
		m->nnodes += g->count;
	}
	return 0;
}

/* What needs all groups: relative speed, and the process of the scaled column. */
static void compare(struct machines *m, unsigned int process_nm)
{
	for (uint32_t i = 0; i < m->ngroups; i++) {
		unsigned int nm = m->groups[i].profile.process_nm;

		if (nm && (!m->process_nm || nm < m->process_nm))
			m->process_nm = nm;
	}
	if (process_nm)
		m->process_nm = process_nm;
	for (uint32_t i = 0; i < m->ngroups; i++) {
		struct machine_group *g = &m->groups[i];

		g->slowdown = slowdown(&g->profile, &m->reference);
		if (g->scaled < 0)
			g->scaled = machines_process_factor(g->profile.process_nm, m->process_nm);
	}
}

int machines_parse(const json_t *doc, bool paths, struct machines *m, struct err *e)
{
	uint64_t version = 1, process_nm = 0;
	const json_t *nodes = NULL, *v;
	char reference[1024] = "";
	struct json_fields f;
	size_t i;
	int rc;

	memset(m, 0, sizeof(*m));
	json_fields_init(&f, doc, "cluster", e);
	json_get_u64(&f, "version", JSON_OPTIONAL, 1, 1, &version);
	json_get_str(&f, "name", JSON_OPTIONAL, m->name, sizeof(m->name));
	json_get_str(&f, "reference", JSON_OPTIONAL, reference, sizeof(reference));
	json_get_u64(&f, "process_nm", JSON_OPTIONAL, 1, 10000, &process_nm);
	json_get_arr(&f, "nodes", JSON_REQUIRED, MACHINES_MAX_GROUPS, &nodes);
	if (nodes && !json_array_size(nodes))
		json_fail(&f, "nodes", "there must be at least one");
	rc = json_fields_end(&f);
	if (rc)
		return rc;
	m->groups = calloc(json_array_size(nodes), sizeof(*m->groups));
	if (!m->groups)
		return err_set(e, -ENOMEM, "no memory for the cluster");
	json_array_foreach((json_t *)(uintptr_t)nodes, i, v)
	{
		rc = parse_group(v, paths, &m->groups[m->ngroups], e);
		if (rc)
			break;
		m->ngroups++;
	}
	if (!rc)
		rc = name_groups(m, e);
	if (!rc && reference[0])
		rc = load_profile(reference, paths, &m->reference, e);
	else if (!rc)
		m->reference = m->groups[0].profile;
	if (rc) {
		machines_release(m);
		return rc;
	}
	compare(m, (unsigned int)process_nm);
	return 0;
}

static bool is_path(const char *name)
{
	size_t n = strlen(name);

	return strchr(name, '/') || (n > 5 && !strcmp(name + n - 5, ".json"));
}

int machines_load(const char *name, struct machines *m, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_json_ json_t *doc = NULL;
	char lib[PATH_MAX - 128], path[PATH_MAX];
	int rc = 0;

	memset(m, 0, sizeof(*m));
	buf_init(&b, MACHINES_MAX_BYTES);
	if (is_path(name)) {
		(void)snprintf(path, sizeof(path), "%s", name);
	} else {
		rc = paths_libdir(lib, sizeof(lib));
		if (rc)
			return err_sys(e, rc, "cannot tell where the cluster files are");
		(void)snprintf(path, sizeof(path), "%s/clusters/%.100s.json", lib, name);
	}
	rc = file_read(path, &b, e);
	if (rc == -ENOENT && !is_path(name))
		err_hint(e, "name one of the clusters there, or give a path to a file");
	if (rc)
		return rc;
	rc = json_parse(buf_cstr(&b), b.len, MACHINES_MAX_BYTES, "cluster file", &doc, e);
	if (!rc)
		rc = machines_parse(doc, true, m, e);
	return rc ? err_wrap(e, "%s", path) : 0;
}

void machines_release(struct machines *m)
{
	free(m->groups);
	memset(m, 0, sizeof(*m));
}
