/*
 * The model meter: a machine that draws its profile's idle power, and its
 * per-core power for every second of CPU time used. Linear in CPU time, as the
 * power models of the scheduling literature are.
 *
 * Sub-microjoule remainders are carried over, so that many short intervals add
 * up to what one long one gives.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent/meter/meter.h"

struct model {
	uint64_t idle_uw, core_uw;
	uint64_t last_ns;            /* 0: not read yet */
	uint64_t idle_rem, busy_rem; /* carried remainders: uW*ns below 1e9, uW*us below 1e6 */
};

static int model_open(struct meter *m, const struct meter_config *c, const char *argument,
		      struct err *e)
{
	struct model *s;

	(void)argument;
	if (!c->profile)
		return err_set(e, -EINVAL, "meter model: no machine profile given");
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, -ENOMEM, "meter model: out of memory");
	s->idle_uw = (uint64_t)(c->profile->idle_w.value * 1e6 + 0.5);
	s->core_uw = (uint64_t)(c->profile->core_w.value * 1e6 + 0.5);
	snprintf(m->name, sizeof(m->name), "model:%s", c->profile->name);
	snprintf(m->source, sizeof(m->source), "model");
	snprintf(m->scope, sizeof(m->scope), "node");
	snprintf(m->kind, sizeof(m->kind), "modelled");
	m->priv = s;
	return 0;
}

static int model_read(struct meter *m, const struct meter_input *in, struct meter_delta *d,
		      struct err *e)
{
	struct model *s = m->priv;
	unsigned __int128 idle, busy;
	bool first = s->last_ns == 0;

	(void)e;
	if (!first) {
		idle = (unsigned __int128)s->idle_uw * (in->now_ns - s->last_ns) + s->idle_rem;
		busy = (unsigned __int128)s->core_uw * in->busy_cpu_us + s->busy_rem;
		s->idle_rem = (uint64_t)(idle % 1000000000u);
		s->busy_rem = (uint64_t)(busy % 1000000u);
		d->idle_uj = (uint64_t)(idle / 1000000000u);
		d->energy_uj = d->idle_uj + (uint64_t)(busy / 1000000u);
	}
	s->last_ns = in->now_ns;
	return !first;
}

static void model_close(struct meter *m)
{
	free(m->priv);
}

const struct meter_ops meter_model = {
	.type = "model",
	.summary = "from the machine's profile and CPU time",
	.whole_machine = false,
	.open = model_open,
	.read = model_read,
	.close = model_close,
};
