/*
 * The SCMI powercap meter: what an ARM server's firmware says of its power
 * (Linux drivers/powercap/arm_scmi_powercap.c: zones arm-scmi:N with power_uw).
 *
 * There is power only, no counter, so it is integrated. A zone's power contains
 * that of the zones below it: only those that have no zone above are added up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/meter/meter.h"
#include "common/file.h"

#define PREFIX "arm-scmi:"

static int scan(struct channels *c, const char *root, struct err *e)
{
	char **names, dir[512], name[32];
	int n = sysfs_list(root, &names, e);

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		struct channel ch = {.power = true};

		if (strncmp(names[i], PREFIX, strlen(PREFIX)) != 0 ||
		    strchr(names[i] + strlen(PREFIX), ':') ||
		    file_join(dir, sizeof(dir), root, names[i]) ||
		    file_join(ch.path, sizeof(ch.path), dir, "power_uw"))
			continue;
		if (sysfs_text(dir, "name", name, sizeof(name), NULL))
			(void)snprintf(name, sizeof(name), "%.30s", names[i]);
		(void)snprintf(ch.name, sizeof(ch.name), "%s", name);
		(void)channels_add(c, &ch);
	}
	sysfs_list_free(names);
	if (c->n)
		return channels_check(c, e);
	err_set(e, -ENODEV, "%s has no " PREFIX "N zone", root);
	return err_hint(e, "this machine's firmware offers no SCMI powercap; --meter model works "
			   "everywhere");
}

static int scmi_open(struct meter *m, const struct meter_config *c, const char *argument,
		     struct err *e)
{
	struct channels *s = calloc(1, sizeof(*s));
	char root[256];
	int rc;

	(void)argument;
	if (!s)
		return err_set(e, -ENOMEM, "meter scmi: out of memory");
	if (c->powercap_root)
		(void)snprintf(root, sizeof(root), "%s", c->powercap_root);
	else
		(void)snprintf(root, sizeof(root), "%s/class/powercap", c->sysfs_root);
	rc = scan(s, root, e);
	if (rc) {
		free(s);
		return rc;
	}
	(void)snprintf(m->name, sizeof(m->name), "scmi");
	(void)snprintf(m->source, sizeof(m->source), "scmi");
	(void)snprintf(m->kind, sizeof(m->kind), "integrated");
	(void)snprintf(m->scope, sizeof(m->scope), "soc");
	m->priv = m->channels = s;
	return 0;
}

static int scmi_read(struct meter *m, const struct meter_input *in, struct meter_delta *d,
		     struct err *e)
{
	return channels_read(m->priv, in->now_ns, &d->energy_uj, &d->gap_ms, e);
}

static void scmi_close(struct meter *m)
{
	free(m->priv);
}

const struct meter_ops meter_scmi = {
	.type = "scmi",
	.summary = "power from an ARM server's firmware",
	.whole_machine = true,
	.open = scmi_open,
	.read = scmi_read,
	.close = scmi_close,
};
