/* The table of meters; see meter.h. */
#include "agent/meter/meter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

static const struct meter_ops *const meters[] = {
	&meter_powercap,
	&meter_powercap_psys,
	&meter_model,
};

static int open_ops(const struct meter_ops *ops, const struct meter_config *c, struct meter **out,
		    struct err *e)
{
	struct meter *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return err_set(e, -ENOMEM, "meter %s: out of memory", ops->type);
	m->ops = ops;
	rc = ops->open(m, c, e);
	if (rc) {
		free(m);
		return rc;
	}
	*out = m;
	return 0;
}

int meter_open(const char *type, bool modelled_only, const struct meter_config *c, struct meter **m,
	       struct err *e)
{
	bool automatic = !strcmp(type, "auto");

	if (modelled_only && !automatic && strcmp(type, meter_model.type) != 0) {
		err_set(e, -EINVAL, "meter '%s' cannot be used on an emulated node", type);
		err_hint(e, "the host's meter says nothing about the machine that is "
			    "emulated; use --meter model");
		return -EINVAL;
	}
	if (automatic && !modelled_only && !open_ops(&meter_powercap, c, m, e))
		return 0;
	if (automatic) {
		if (!modelled_only)
			log_info("meter.no-powercap reason=\"%s\" using=model", e ? e->msg : "");
		err_clear(e);
		return open_ops(&meter_model, c, m, e);
	}
	for (size_t i = 0; i < ARRAY_SIZE(meters); i++)
		if (!strcmp(type, meters[i]->type))
			return open_ops(meters[i], c, m, e);
	err_set(e, -EINVAL, "there is no meter '%s'", type);
	err_hint(e, "one of: auto, powercap, powercap-psys, model");
	return -EINVAL;
}

int meter_read(struct meter *m, const struct meter_input *in, struct meter_delta *d, struct err *e)
{
	*d = (struct meter_delta){0};
	return m->ops->read(m, in, d, e);
}

void meter_close(struct meter *m)
{
	if (!m)
		return;
	m->ops->close(m);
	free(m);
}
