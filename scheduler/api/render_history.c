/*
 * Decisions, segments, changes, models, policies and the power cap as JSON.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "scheduler/api/render.h"

static void set(json_t *o, const char *key, json_t *v)
{
	(void)json_object_set_new(o, key, v);
}

static void set_text(json_t *o, const char *key, const char *text)
{
	set(o, key, text[0] ? json_string(text) : json_null());
}

static void set_ms(json_t *o, const char *key, uint64_t ms)
{
	set(o, key, ms ? json_integer((json_int_t)ms) : json_null());
}

static void set_joules(json_t *o, const char *key, double j)
{
	set(o, key, isnan(j) ? json_null() : json_real(j));
}

json_t *render_id(uint64_t id)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, id);
	return json_string(text);
}

json_t *render_decision(const struct decision_record *d, double actual_j)
{
	json_t *o = json_object();

	set_ms(o, "time_ms", d->time_ms);
	set_text(o, "kind", d->kind);
	set_text(o, "node", d->node);
	set_text(o, "reason", d->reason);
	set_joules(o, "predicted_j", d->predicted_j);
	set_joules(o, "actual_j", actual_j);
	return o;
}

json_t *render_segment_record(const struct segment_record *s)
{
	json_t *o = json_object();

	set(o, "attempt", json_integer(s->attempt));
	set(o, "epoch", json_integer(s->epoch));
	set_text(o, "node", s->node);
	set_text(o, "isa", isa_name(s->isa));
	set(o, "emulated", json_boolean(s->emulated));
	set_ms(o, "from_ms", s->from_ms);
	set_ms(o, "to_ms", s->to_ms);
	set(o, "cpu_us", json_integer((json_int_t)s->cpu_us));
	set(o, "energy_uj", json_integer((json_int_t)s->energy_uj));
	set_text(o, "energy_kind", s->energy_kind);
	set_joules(o, "predicted_j", s->predicted_j);
	set_text(o, "outcome", s->outcome);
	return o;
}

void hide_history_energy(json_t *history)
{
	static const char *const keys[] = {"energy_uj", "energy_kind", "predicted_j", "actual_j"};
	static const char *const lists[] = {"segments", "decisions"};
	json_t *v;
	size_t i;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		json_array_foreach(json_object_get(history, lists[l]), i,
				   v) for (size_t k = 0; k < ARRAY_SIZE(keys);
					   k++) if (json_object_get(v, keys[k]))
			set(v, keys[k], json_null());
}

json_t *render_change(const struct change_record *r)
{
	json_t *o = json_object();

	set_ms(o, "time_ms", r->time_ms);
	set_text(o, "state", r->state);
	set_text(o, "reason", r->reason);
	set_joules(o, "predicted_j", r->predicted_j);
	set_joules(o, "actual_j", r->actual_j);
	return o;
}

/* How far to trust it: from the spread of what was seen, or little if only the profile says so. */
static double confidence(const struct belief *b)
{
	double deviation;

	if (!b->runs)
		return 0.2;
	if (b->runs == 1 || b->work_s <= 0)
		return 0.5;
	deviation = sqrt(b->spread / (b->runs - 1)) / b->work_s;
	return 1 / (1 + deviation / sqrt(b->runs));
}

json_t *render_model(const struct program *p, const struct machine *m, const struct belief *b,
		     const struct estimate *e)
{
	json_t *o = json_object(), *args = p->args ? json_loads(p->args, 0, NULL) : NULL;

	set_text(o, "program", p->name);
	set_text(o, "bundle", p->bundle);
	set(o, "args", args ? args : json_array());
	set_text(o, "isa", isa_name(m->isa));
	set(o, "emulated", json_boolean(m->emulated));
	set_text(o, "profile", m->profile);
	set(o, "runs", json_integer(b->runs));
	set(o, "seconds", json_real(e->seconds));
	set(o, "watts", json_real(e->watts));
	set(o, "joules", json_real(e->joules));
	set(o, "confidence", json_real(confidence(b)));
	set_text(o, "source", b->runs ? "learned" : "profile");
	return o;
}

static json_t *render_value(const struct policy_option *d, const struct policy_options *o)
{
	double value = policy_option_get(d, o);

	return d->kind == OPTION_BOOL  ? json_boolean(value > 0)
	       : d->kind == OPTION_F64 ? json_real(value)
				       : json_integer((json_int_t)value);
}

json_t *render_policy(const struct policy *p, const struct policy_options *o)
{
	json_t *options = json_object();

	for (const struct policy_option *d = policy_options_table; d->name; d++)
		set(options, d->name, render_value(d, o));
	return json_pack("{s:s, s:o}", "name", p->name, "options", options);
}

json_t *render_policy_summary(const struct policy *p)
{
	json_t *list = json_array();

	for (const char *const *name = p->options; *name; name++)
		for (const struct policy_option *d = policy_options_table; d->name; d++)
			if (!strcmp(d->name, *name))
				(void)json_array_append_new(
					list, json_pack("{s:s, s:o, s:s, s:s}", "name", d->name,
							"default",
							render_value(d, &policy_options_default),
							"unit", d->unit, "meaning", d->meaning));
	return json_pack("{s:s, s:s, s:b, s:o}", "name", p->name, "summary", p->summary, "sleeps",
			 p->sleeps, "options", list);
}

json_t *render_power_cap(const struct cluster *c)
{
	double cap_w = (double)c->cap_mw / 1000, w = (double)c->mw / 1000;

	return json_pack("{s:o, s:f, s:o}", "cap_w", c->cap_mw ? json_real(cap_w) : json_null(),
			 "predicted_w", w, "headroom_w",
			 c->cap_mw ? json_real(cap_w - w) : json_null());
}
