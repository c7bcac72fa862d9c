/*
 * The powercap meter: RAPL energy counters below a configurable sysfs root
 * (Linux Documentation/power/powercap/powercap.rst).
 *
 * Zones are told apart by the name file, never by their number: "package-N" and
 * "dram" are added up; "psys" (the whole platform, which contains the others) is
 * a meter of its own; "core" and "uncore" are parts of a package and never
 * counted. A package that shows twice (intel-rapl and intel-rapl-mmio) counts
 * once. Counters wrap at max_energy_range_uj. A zone that cannot be read, or was
 * away, or may have wrapped more than once, makes its interval a gap: its energy
 * is not guessed.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/meter/meter.h"
#include "agent/meter/powercap.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

#define ZONES_MAX 64
/* No package draws more; a gap long enough to wrap at this power may hide a wrap. */
#define ZONE_MAX_W 2000

struct zone {
	char dir[512];
	char name[64];
	uint64_t range_uj;
	uint64_t last_uj;
	uint64_t last_ns; /* 0: no base to count from */
	bool lost;        /* said so already */
};

struct powercap {
	char root[256];
	bool psys;
	struct zone zones[ZONES_MAX];
	size_t nzones;
	uint64_t idle_uw;
	uint64_t last_ns;
};

int powercap_parse_u64(const char *text, size_t len, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	if (!len || len > 20)
		return -EINVAL;
	for (; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v))
			return -EINVAL;
	}
	*out = v;
	return 0;
}

int powercap_class(const char *name, bool psys)
{
	if (psys)
		return !strcmp(name, "psys");
	return !strncmp(name, "package-", 8) || !strcmp(name, "dram");
}

int powercap_advance(uint64_t last_uj, uint64_t now_uj, uint64_t range_uj, uint64_t elapsed_ns,
		     uint64_t *delta_uj)
{
	/* Long enough to have wrapped unseen: the difference could be anything. */
	if ((unsigned __int128)elapsed_ns * ZONE_MAX_W / 1000 > range_uj)
		return -ERANGE;
	if (now_uj >= last_uj) {
		*delta_uj = now_uj - last_uj;
		return 0;
	}
	if (last_uj > range_uj)
		return -ERANGE;
	*delta_uj = range_uj - last_uj + now_uj;
	return 0;
}

static int read_text(const char *dir, const char *file, char *out, size_t size, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	char path[640];
	int rc;

	buf_init(&b, 4096);
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	rc = file_read(path, &b, e);
	if (rc == -EACCES || rc == -EPERM)
		err_hint(e, "run drover-agent as root or with CAP_DAC_READ_SEARCH, or use "
			    "--meter model");
	if (rc)
		return rc;
	snprintf(out, size, "%s", buf_cstr(&b));
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

static int read_u64(const char *dir, const char *file, uint64_t *out, struct err *e)
{
	char text[64];
	int rc = read_text(dir, file, text, sizeof(text), e);

	if (rc)
		return rc;
	if (powercap_parse_u64(text, strlen(text), out))
		return err_set(e, -EINVAL, "%s/%s: '%s' is not a number", dir, file, text);
	return 0;
}

/* The same hardware shown by a second driver: "dram" is compared below its own package. */
static bool duplicate(const struct powercap *s, const char *entry, const char *name)
{
	if (strncmp(entry, "intel-rapl-mmio", 15) != 0)
		return false;
	for (size_t i = 0; i < s->nzones; i++)
		if (!strcmp(s->zones[i].name, name))
			return true;
	return false;
}

static void add_zone(struct powercap *s, const char *entry)
{
	struct zone *z = &s->zones[s->nzones];
	struct err e = ERR_INIT;

	if (s->nzones == ZONES_MAX)
		return;
	*z = (struct zone){0};
	if (file_join(z->dir, sizeof(z->dir), s->root, entry))
		return;
	if (read_text(z->dir, "name", z->name, sizeof(z->name), NULL) ||
	    !powercap_class(z->name, s->psys) || duplicate(s, entry, z->name))
		return;
	if (read_u64(z->dir, "max_energy_range_uj", &z->range_uj, &e) || !z->range_uj) {
		log_warn("meter.zone-ignored zone=%s reason=\"%s\"", z->dir,
			 e.code ? e.msg : "its range is 0");
		return;
	}
	s->nzones++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	bool ma = strstr((*a)->d_name, "-mmio") != NULL, mb = strstr((*b)->d_name, "-mmio") != NULL;

	return ma != mb ? ma - mb : strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* The kernel shows every zone, sub-zones too, as an entry (link) of the root itself. */
static int scan(struct powercap *s, struct err *e)
{
	struct dirent **list = NULL;
	int n = scandir(s->root, &list, not_hidden, by_name);

	if (n < 0)
		return err_sys(e, -errno, "cannot list %s", s->root);
	for (int i = 0; i < n; i++) {
		if (strchr(list[i]->d_name, ':'))
			add_zone(s, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	if (!s->nzones) {
		err_set(e, -ENODEV, "%s has no %s zone", s->root, s->psys ? "psys" : "package");
		err_hint(e, "this machine shows no RAPL counters; --meter model works "
			    "everywhere");
		return -ENODEV;
	}
	return 0;
}

/* A counter that root alone may read fails here, at the start, and not at every reading. */
static int check_readable(struct powercap *s, struct err *e)
{
	uint64_t v;

	for (size_t i = 0; i < s->nzones; i++) {
		int rc = read_u64(s->zones[i].dir, "energy_uj", &v, e);

		if (rc)
			return rc;
	}
	return 0;
}

static int open_common(struct meter *m, const struct meter_config *c, bool psys, struct err *e)
{
	struct powercap *s = calloc(1, sizeof(*s));
	bool dram = false;
	int rc;

	if (!s)
		return err_set(e, -ENOMEM, "meter powercap: out of memory");
	snprintf(s->root, sizeof(s->root), "%s",
		 c->powercap_root ? c->powercap_root : "/sys/class/powercap");
	s->psys = psys;
	s->idle_uw = c->profile ? (uint64_t)(c->profile->idle_w.value * 1e6 + 0.5) : 0;
	rc = scan(s, e);
	if (!rc)
		rc = check_readable(s, e);
	if (rc) {
		free(s);
		return rc;
	}
	for (size_t i = 0; i < s->nzones; i++)
		dram = dram || !strcmp(s->zones[i].name, "dram");
	snprintf(m->name, sizeof(m->name), "powercap:%s", psys ? "psys" : "package");
	snprintf(m->scope, sizeof(m->scope), "%s",
		 psys   ? "platform"
		 : dram ? "package+dram"
			: "package");
	m->priv = s;
	return 0;
}

static int powercap_open(struct meter *m, const struct meter_config *c, struct err *e)
{
	return open_common(m, c, false, e);
}

static int psys_open(struct meter *m, const struct meter_config *c, struct err *e)
{
	return open_common(m, c, true, e);
}

/* Adds one zone's energy to *uj. False: this interval of the zone is not known. */
static bool read_zone(struct zone *z, uint64_t now_ns, uint64_t *uj, struct err *e)
{
	uint64_t v, delta = 0;
	bool known = false;

	if (read_u64(z->dir, "energy_uj", &v, e)) {
		if (!z->lost)
			log_warn("meter.zone-lost zone=%s reason=\"%s\"", z->dir, e ? e->msg : "");
		z->lost = true;
		z->last_ns = 0;
		return false;
	}
	if (z->lost)
		log_info("meter.zone-back zone=%s", z->dir);
	z->lost = false;
	if (z->last_ns)
		known = !powercap_advance(z->last_uj, v, z->range_uj, now_ns - z->last_ns, &delta);
	z->last_uj = v;
	z->last_ns = now_ns;
	*uj += delta;
	return known;
}

static int powercap_read(struct meter *m, const struct meter_input *in, struct meter_delta *d,
			 struct err *e)
{
	struct powercap *s = m->priv;
	uint64_t elapsed = s->last_ns ? in->now_ns - s->last_ns : 0;
	size_t known = 0, readable = 0;
	bool first = s->last_ns == 0;

	for (size_t i = 0; i < s->nzones; i++) {
		known += read_zone(&s->zones[i], in->now_ns, &d->energy_uj, e);
		readable += !s->zones[i].lost;
	}
	s->last_ns = in->now_ns;
	if (first)
		return readable ? 0 : -ENODATA;
	if (known < s->nzones)
		d->gap_ms = (elapsed + NS_PER_MS - 1) / NS_PER_MS;
	/* The idle share is the profile's, as far as any zone was seen at all. */
	if (known)
		d->idle_uj = (uint64_t)((unsigned __int128)s->idle_uw * elapsed / NS_PER_S);
	if (d->idle_uj > d->energy_uj)
		d->idle_uj = d->energy_uj;
	return 1;
}

static void powercap_close(struct meter *m)
{
	free(m->priv);
}

const struct meter_ops meter_powercap = {
	.type = "powercap",
	.source = "rapl",
	.kind = "measured",
	.whole_machine = true,
	.open = powercap_open,
	.read = powercap_read,
	.close = powercap_close,
};

const struct meter_ops meter_powercap_psys = {
	.type = "powercap-psys",
	.source = "rapl",
	.kind = "measured",
	.whole_machine = true,
	.open = psys_open,
	.read = powercap_read,
	.close = powercap_close,
};
