/*
 * The powercap meter: RAPL energy counters below a configurable sysfs root
 * (Linux Documentation/power/powercap/powercap.rst), of Intel and AMD processors
 * (both show as intel-rapl).
 *
 * Zones are told apart by the name file, never by their number: "package-N" and
 * "dram" are added up; "psys" (the whole platform, which contains the others) is
 * a meter of its own; "core" and "uncore" are parts of a package and never
 * counted. A zone that a second driver shows (intel-rapl-mmio) counts once, and so
 * do the dies of a package that all show the package's counter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/meter/meter.h"
#include "agent/meter/powercap.h"
#include "common/file.h"
#include "common/log.h"

struct powercap {
	char root[256];
	bool psys;
	struct channels ch;
};

bool powercap_class(const char *name, bool psys)
{
	if (psys)
		return !strcmp(name, "psys");
	return !strncmp(name, "package-", 8) || !strcmp(name, "dram");
}

bool powercap_dies_of_one(const char *a, const char *b)
{
	const char *da = strstr(a, "-die-"), *db = strstr(b, "-die-");

	return da && db && da - a == db - b && !strncmp(a, b, (size_t)(da - a));
}

bool powercap_mirrors(uint64_t first, uint64_t other, uint64_t last, uint64_t range_uj)
{
	uint64_t span = last >= first ? last - first : range_uj - first + last;
	uint64_t at = other >= first ? other - first : range_uj - first + other;

	return first <= range_uj && other <= range_uj && at <= span;
}

/*
 * What a zone is, whichever driver shows it: its name, below its parent's where it
 * has one ("package-1/dram"). entry is "intel-rapl:1:2".
 */
static void identity(const struct powercap *s, const char *entry, const char *name, char *out,
		     size_t size)
{
	const char *colon = strrchr(entry, ':');
	char parent[256], dir[512], above[32];

	(void)snprintf(out, size, "%s", name);
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(colon - entry), entry);
	if (!strchr(parent, ':') || file_join(dir, sizeof(dir), s->root, parent) ||
	    sysfs_text(dir, "name", above, sizeof(above), NULL))
		return;
	(void)snprintf(out, size, "%s/%s", above, name);
}

/* Two dies whose counters move as one: read in between of each other. */
static bool mirrored(const struct channel *a, const struct channel *b)
{
	uint64_t first, other, last;

	return powercap_dies_of_one(a->name, b->name) && a->range_uj == b->range_uj &&
	       !sysfs_number(a->path, &first, NULL) && !sysfs_number(b->path, &other, NULL) &&
	       !sysfs_number(a->path, &last, NULL) &&
	       powercap_mirrors(first, other, last, a->range_uj);
}

static bool known_already(const struct powercap *s, const struct channel *ch)
{
	for (size_t i = 0; i < s->ch.n; i++) {
		if (!strcmp(s->ch.v[i].name, ch->name))
			return true;
		if (mirrored(&s->ch.v[i], ch)) {
			log_info("meter.zone-mirrored zone=%s as=%s", ch->path, s->ch.v[i].path);
			return true;
		}
	}
	return false;
}

static void add_zone(struct powercap *s, const char *entry)
{
	struct channel ch = {.power = false};
	struct err e = ERR_INIT;
	char dir[512], name[32];

	if (file_join(dir, sizeof(dir), s->root, entry) ||
	    sysfs_text(dir, "name", name, sizeof(name), NULL) || !powercap_class(name, s->psys))
		return;
	identity(s, entry, name, ch.name, sizeof(ch.name));
	if (file_join(ch.path, sizeof(ch.path), dir, "energy_uj"))
		return;
	if (sysfs_u64(dir, "max_energy_range_uj", &ch.range_uj, &e) || !ch.range_uj) {
		log_warn("meter.zone-ignored zone=%s reason=\"%s\"", dir,
			 e.code ? e.msg : "its range is 0");
		return;
	}
	if (known_already(s, &ch))
		return;
	(void)channels_add(&s->ch, &ch);
}

/* The kernel shows every zone, sub-zones too, as an entry (link) of the root itself. Of the drivers
 * that show one zone the processor's own registers come first, memory-mapped ones last. */
static int scan(struct powercap *s, struct err *e)
{
	char **names;
	int n = sysfs_list(s->root, &names, e);

	if (n < 0)
		return n;
	for (int mmio = 0; mmio < 2; mmio++)
		for (int i = 0; i < n; i++)
			if (strchr(names[i], ':') && (strstr(names[i], "-mmio") != NULL) == mmio)
				add_zone(s, names[i]);
	sysfs_list_free(names);
	if (s->ch.n)
		return 0;
	err_set(e, -ENODEV, "%s has no %s zone", s->root, s->psys ? "psys" : "package");
	return err_hint(e,
			"this machine shows no such RAPL counters; --meter model works everywhere");
}

static int open_common(struct meter *m, const struct meter_config *c, bool psys, struct err *e)
{
	struct powercap *s = calloc(1, sizeof(*s));
	bool dram = false;
	int rc;

	if (!s)
		return err_set(e, -ENOMEM, "meter powercap: out of memory");
	if (c->powercap_root)
		(void)snprintf(s->root, sizeof(s->root), "%s", c->powercap_root);
	else
		(void)snprintf(s->root, sizeof(s->root), "%s/class/powercap", c->sysfs_root);
	s->psys = psys;
	rc = scan(s, e);
	if (!rc)
		rc = channels_check(&s->ch, e);
	if (rc) {
		free(s);
		return rc;
	}
	for (size_t i = 0; i < s->ch.n; i++)
		dram = dram || strstr(s->ch.v[i].name, "dram");
	(void)snprintf(m->name, sizeof(m->name), "powercap:%s", psys ? "psys" : "package");
	(void)snprintf(m->source, sizeof(m->source), "rapl");
	(void)snprintf(m->kind, sizeof(m->kind), "measured");
	(void)snprintf(m->scope, sizeof(m->scope), "%s",
		       psys   ? "platform"
		       : dram ? "package+dram"
			      : "package");
	m->priv = s;
	m->channels = &s->ch;
	return 0;
}

static int powercap_open(struct meter *m, const struct meter_config *c, const char *argument,
			 struct err *e)
{
	(void)argument;
	return open_common(m, c, false, e);
}

static int psys_open(struct meter *m, const struct meter_config *c, const char *argument,
		     struct err *e)
{
	(void)argument;
	return open_common(m, c, true, e);
}

static int powercap_read(struct meter *m, const struct meter_input *in, struct meter_delta *d,
			 struct err *e)
{
	struct powercap *s = m->priv;

	return channels_read(&s->ch, in->now_ns, &d->energy_uj, &d->gap_ms, e);
}

static void powercap_close(struct meter *m)
{
	free(m->priv);
}

const struct meter_ops meter_powercap = {
	.type = "powercap",
	.summary = "RAPL counters of packages and memory",
	.whole_machine = true,
	.open = powercap_open,
	.read = powercap_read,
	.close = powercap_close,
};

const struct meter_ops meter_powercap_psys = {
	.type = "powercap-psys",
	.summary = "RAPL counter of the platform",
	.whole_machine = true,
	.open = psys_open,
	.read = powercap_read,
	.close = powercap_close,
};
