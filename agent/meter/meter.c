/* The table of meters; see meter.h. */
#include "agent/meter/meter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

/* Shorter intervals say little about the machine's least power: counters move in steps. */
#define LEAST_MS 200

const struct meter_ops *const meter_types[] = {
	&meter_powercap, &meter_hwmon, &meter_scmi, &meter_powercap_psys, &meter_model, NULL,
};

static int open_ops(const struct meter_ops *ops, const struct meter_config *given,
		    const char *argument, struct meter **out, struct err *e)
{
	struct meter *m = calloc(1, sizeof(*m));
	struct meter_config c = *given;
	int rc;

	if (!m)
		return err_set(e, -ENOMEM, "meter %s: out of memory", ops->type);
	if (!c.sysfs_root)
		c.sysfs_root = "/sys";
	if (!c.sample_ms)
		c.sample_ms = 1000;
	m->ops = ops;
	m->least_uw = UINT64_MAX;
	m->idle_uw = c.profile ? (uint64_t)(c.profile->idle_w.value * 1e6 + 0.5) : 0;
	rc = ops->open(m, &c, argument, e);
	if (rc) {
		free(m);
		return rc;
	}
	/* A reading or two may be late; what is later than that is a gap. */
	if (m->channels)
		m->channels->cap_ns = (c.sample_ms < 1667 ? 5000u : 3u * c.sample_ms) * NS_PER_MS;
	*out = m;
	return 0;
}

/* The first that can be read. One that is there and may not be read is worth a warning. */
static int open_auto(const struct meter_config *c, struct meter **m, struct err *e)
{
	struct err first = ERR_INIT;
	int rc = -ENODEV;

	for (size_t i = 0; rc && meter_types[i]; i++) {
		err_clear(e);
		rc = open_ops(meter_types[i], c, NULL, m, e);
		if (rc && !first.code && (rc == -EACCES || rc == -EPERM))
			first = *e;
	}
	if (!rc)
		err_clear(e);
	if (!rc && first.code)
		log_err(LOG_LEVEL_WARN, "meter.not-permitted", &first);
	else if (!rc && (*m)->ops == &meter_model)
		log_info("meter.none using=model");
	return rc;
}

/* "TYPE" or "TYPE:ARGUMENT"; *argument is what is behind the colon. */
static const struct meter_ops *find(const char *type, const char **argument)
{
	size_t len = strcspn(type, ":");

	*argument = type[len] ? type + len + 1 : NULL;
	for (size_t i = 0; meter_types[i]; i++)
		if (strlen(meter_types[i]->type) == len &&
		    !strncmp(type, meter_types[i]->type, len))
			return meter_types[i];
	return NULL;
}

int meter_open(const char *type, bool modelled_only, const struct meter_config *c, struct meter **m,
	       struct err *e)
{
	bool automatic = !strcmp(type, "auto");
	const char *argument = NULL;
	const struct meter_ops *ops = automatic ? NULL : find(type, &argument);
	struct err own = ERR_INIT;

	if (!e)
		e = &own;
	if (modelled_only && !automatic && ops != &meter_model) {
		err_set(e, -EINVAL, "meter '%s' cannot be used on an emulated node", type);
		err_hint(e, "the host's meter says nothing about the machine that is "
			    "emulated; use --meter model");
		return -EINVAL;
	}
	if (automatic)
		return modelled_only ? open_ops(&meter_model, c, NULL, m, e) : open_auto(c, m, e);
	if (ops && (!argument || ops == &meter_hwmon))
		return open_ops(ops, c, argument, m, e);
	err_set(e, -EINVAL, "there is no meter '%s'", type);
	err_hint(e, "one of: auto, powercap, hwmon, hwmon:NAME, scmi, powercap-psys, model");
	return -EINVAL;
}

size_t meter_open_apart(const struct meter *first, const struct meter_config *c, struct meter **v,
			size_t max)
{
	size_t n = 0;

	for (size_t i = 0; n < max && meter_types[i]; i++) {
		struct err e = ERR_INIT;

		if (meter_types[i] != first->ops && meter_types[i] != &meter_model &&
		    !open_ops(meter_types[i], c, NULL, &v[n], &e))
			n++;
	}
	return n;
}

/* See meter.h. What is idle of a gap is not known either. */
static void idle_share(struct meter *m, uint64_t elapsed_ns, struct meter_delta *d)
{
	uint64_t known = elapsed_ns - d->gap_ms * NS_PER_MS, idle;

	if (d->gap_ms * NS_PER_MS >= elapsed_ns)
		return;
	if (!d->gap_ms && elapsed_ns >= LEAST_MS * NS_PER_MS) {
		uint64_t uw = (uint64_t)((unsigned __int128)d->energy_uj * NS_PER_S / elapsed_ns);

		m->least_uw = uw < m->least_uw ? uw : m->least_uw;
	}
	idle = m->least_uw < m->idle_uw ? m->least_uw : m->idle_uw;
	d->idle_uj = (uint64_t)((unsigned __int128)idle * known / NS_PER_S);
	if (d->idle_uj > d->energy_uj)
		d->idle_uj = d->energy_uj;
}

int meter_read(struct meter *m, const struct meter_input *in, struct meter_delta *d, struct err *e)
{
	int rc;

	*d = (struct meter_delta){0};
	if (m->last_ns && in->now_ns < m->last_ns)
		return err_set(e, -EINVAL, "meter %s: time went backward", m->name);
	if (in->suspended_ms && m->channels)
		channels_forget(m->channels);
	rc = m->ops->read(m, in, d, e);
	if (rc == 1 && m->channels)
		idle_share(m, in->now_ns - m->last_ns, d);
	if (rc == 1)
		d->gap_ms += in->suspended_ms;
	m->last_ns = in->now_ns;
	return rc;
}

void meter_close(struct meter *m)
{
	if (!m)
		return;
	m->ops->close(m);
	free(m);
}
