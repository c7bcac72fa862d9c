/*
 * The hwmon meter: energy counters (energyN_input, uJ) and power sensors
 * (powerN_input or powerN_average, uW) of hardware monitoring chips (Linux
 * Documentation/hwmon/sysfs-interface.rst).
 *
 * Chips are told apart by their name file, never by their number. A table says
 * which names are known to show a processor or a machine, and what of them adds
 * up: X-Gene (CPU and IO power), Altra (the regulators of core, SoC and memory),
 * AMD's sockets, ACPI power meters. Any other chip must be asked for by name, for
 * a chip may as well be a graphics card or a fan controller. Where a chip has
 * counters they are taken and its power sensors left alone.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/meter/hwmon.h"
#include "agent/meter/meter.h"
#include "common/file.h"

#define ATTRIBUTES_MAX 256

struct known {
	const char *name;  /* of the chip */
	const char *label; /* only channels whose label begins so; NULL: all */
	const char *scope;
};

/* In the order of preference: more of the machine first. */
static const struct known known_chips[] = {
	{"power_meter", NULL, "node"},         /* ACPI power meter */
	{"smpro_hwmon", NULL, "package+dram"}, /* Ampere Altra: Core, SoC, RCA and DIMM VRDs */
	{"apm_xgene", NULL, "soc"},            /* APM X-Gene: CPU power, IO power */
	{"amd_energy", "Esocket", "package"},  /* AMD Zen: cores (Ecore...) are parts of sockets */
	{"fam15h_power", NULL, "package"},     /* AMD family 15h */
};

bool hwmon_is_core(const char *label)
{
	if (*label == 'E' || *label == 'e')
		label++;
	if (strncasecmp(label, "core", 4) != 0)
		return false;
	label += 4;
	label += strspn(label, " _-");
	return *label && !label[strspn(label, "0123456789")];
}

struct wanted {
	const char *label; /* prefix, or NULL */
	bool exact;        /* it is the whole label */
};

static bool takes(const struct wanted *w, const char *label)
{
	if (w->exact)
		return !strcmp(label, w->label);
	return !hwmon_is_core(label) && (!w->label || !strncmp(label, w->label, strlen(w->label)));
}

/* One attribute, if the chip has it and its label is wanted. */
static void add_channel(struct channels *c, const char *dir, const char *chip, const char *what,
			int number, const char *ending, const struct wanted *w)
{
	struct channel ch = {.power = !strcmp(what, "power")};
	char file[40], label[40];

	(void)snprintf(file, sizeof(file), "%s%d_%s", what, number, ending);
	if (file_join(ch.path, sizeof(ch.path), dir, file) || access(ch.path, F_OK))
		return;
	(void)snprintf(file, sizeof(file), "%s%d_label", what, number);
	if (sysfs_text(dir, file, label, sizeof(label), NULL))
		(void)snprintf(label, sizeof(label), "%s%d", what, number);
	if (!takes(w, label))
		return;
	(void)snprintf(ch.name, sizeof(ch.name), "%.20s/%s", chip, label);
	(void)channels_add(c, &ch);
}

static void add_chip(struct channels *c, const char *dir, const char *chip, const struct wanted *w)
{
	size_t before = c->n;

	for (int i = 0; i < ATTRIBUTES_MAX; i++)
		add_channel(c, dir, chip, "energy", i, "input", w);
	if (c->n > before)
		return;
	for (int i = 0; i < ATTRIBUTES_MAX; i++) {
		size_t had = c->n;

		add_channel(c, dir, chip, "power", i, "input", w);
		if (c->n == had)
			add_channel(c, dir, chip, "power", i, "average", w);
	}
}

/* All chips of a name: each socket may have one. */
static int scan(struct channels *c, const char *root, const char *chip, const struct wanted *w,
		struct err *e)
{
	char **names, dir[512], name[64];
	int n = sysfs_list(root, &names, e);

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		if (file_join(dir, sizeof(dir), root, names[i]) ||
		    sysfs_text(dir, "name", name, sizeof(name), NULL) || strcmp(name, chip) != 0)
			continue;
		add_chip(c, dir, chip, w);
	}
	sysfs_list_free(names);
	return 0;
}

static int scan_known(struct channels *c, const char *root, const char **chip, const char **scope,
		      struct err *e)
{
	for (size_t i = 0; !c->n && i < ARRAY_SIZE(known_chips); i++) {
		const struct wanted w = {known_chips[i].label, false};
		int rc = scan(c, root, known_chips[i].name, &w, e);

		if (rc)
			return rc;
		*chip = known_chips[i].name;
		*scope = known_chips[i].scope;
	}
	if (c->n)
		return 0;
	err_set(e, -ENODEV, "%s has no chip that is known to show a processor's or machine's power",
		root);
	return err_hint(e, "name one: --meter hwmon:NAME or hwmon:NAME/LABEL, where NAME is in "
			   "hwmonN/name");
}

/* "NAME" or "NAME/LABEL". */
static int scan_named(struct channels *c, const char *root, const char *argument, char *chip,
		      size_t size, const char **scope, struct err *e)
{
	const char *slash = strchr(argument, '/');
	struct wanted w = {slash ? slash + 1 : NULL, slash != NULL};
	int rc;

	(void)snprintf(chip, size, "%.*s", (int)(slash ? slash - argument : 40), argument);
	*scope = "device";
	for (size_t i = 0; i < ARRAY_SIZE(known_chips); i++)
		if (!strcmp(known_chips[i].name, chip)) {
			*scope = known_chips[i].scope;
			if (!slash)
				w.label = known_chips[i].label;
		}
	rc = scan(c, root, chip, &w, e);
	if (!rc && !c->n) {
		err_set(e, -ENODEV, "%s has no chip '%s' with energy or power%s%s", root, chip,
			slash ? " labelled " : "", slash ? slash + 1 : "");
		rc = err_hint(e, "drover-agent --list-meters shows what there is");
	}
	return rc;
}

static int hwmon_open(struct meter *m, const struct meter_config *c, const char *argument,
		      struct err *e)
{
	struct channels *s = calloc(1, sizeof(*s));
	const char *chip = "", *scope = "";
	char root[256], named[64];
	bool power;
	int rc;

	if (!s)
		return err_set(e, -ENOMEM, "meter hwmon: out of memory");
	(void)snprintf(root, sizeof(root), "%s/class/hwmon", c->sysfs_root);
	if (argument) {
		rc = scan_named(s, root, argument, named, sizeof(named), &scope, e);
		chip = named;
	} else {
		rc = scan_known(s, root, &chip, &scope, e);
	}
	if (!rc)
		rc = channels_check(s, e);
	if (rc) {
		free(s);
		return rc;
	}
	power = s->v[0].power;
	for (size_t i = 0; i < s->n; i++)
		power = power || s->v[i].power;
	(void)snprintf(m->name, sizeof(m->name), "hwmon:%.50s", argument ? argument : chip);
	(void)snprintf(m->source, sizeof(m->source), "hwmon");
	(void)snprintf(m->scope, sizeof(m->scope), "%s", scope);
	(void)snprintf(m->kind, sizeof(m->kind), "%s", power ? "integrated" : "measured");
	m->priv = m->channels = s;
	return 0;
}

static int hwmon_read(struct meter *m, const struct meter_input *in, struct meter_delta *d,
		      struct err *e)
{
	return channels_read(m->priv, in->now_ns, &d->energy_uj, &d->gap_ms, e);
}

static void hwmon_close(struct meter *m)
{
	free(m->priv);
}

const struct meter_ops meter_hwmon = {
	.type = "hwmon",
	.summary = "hardware monitoring chip; hwmon:NAME and hwmon:NAME/LABEL name one",
	.whole_machine = true,
	.open = hwmon_open,
	.read = hwmon_read,
	.close = hwmon_close,
};
