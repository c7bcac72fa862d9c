/* What people and policies are asked to do, from REST bodies; see parse.h. */
#include "scheduler/api/parse.h"

#include <errno.h>
#include <string.h>

#include "common/json.h"

int parse_migrate(const char *text, size_t len, char node[CORE_NAME_MAX],
		  char reason[CORE_REASON_MAX], struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	struct json_fields f;
	int r;

	node[0] = '\0';
	(void)snprintf(reason, CORE_REASON_MAX, "asked for");
	if (!len)
		return 0;
	r = json_parse(text, len, PARSE_BODY_MAX, "the request", &doc, e);
	if (r)
		return r;
	json_fields_init(&f, doc, "migrate", e);
	json_get_str(&f, "node", JSON_OPTIONAL, node, CORE_NAME_MAX);
	json_get_str(&f, "reason", JSON_OPTIONAL, reason, CORE_REASON_MAX);
	return json_fields_end(&f);
}

int parse_job_patch(const char *text, size_t len, struct job_patch *p, struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	int64_t priority = 0;
	struct json_fields f;
	int r = json_parse(text, len, PARSE_BODY_MAX, "the request", &doc, e);

	memset(p, 0, sizeof(*p));
	if (r)
		return r;
	json_fields_init(&f, doc, "job", e);
	p->has_hold = json_object_get(doc, "hold") != NULL;
	p->has_priority = json_object_get(doc, "priority") != NULL;
	json_get_bool(&f, "hold", JSON_OPTIONAL, &p->hold);
	json_get_i64(&f, "priority", JSON_OPTIONAL, -1000, 1000, &priority);
	p->priority = (int32_t)priority;
	r = json_fields_end(&f);
	if (!r && !p->has_hold && !p->has_priority)
		return err_set(e, -EINVAL, "job: names neither \"hold\" nor \"priority\"");
	return r;
}

int parse_node_patch(const char *text, size_t len, enum node_action *action,
		     char reason[CORE_REASON_MAX], struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	struct json_fields f;
	int value = 0, r = json_parse(text, len, PARSE_BODY_MAX, "the request", &doc, e);

	(void)snprintf(reason, CORE_REASON_MAX, "asked for");
	if (r)
		return r;
	json_fields_init(&f, doc, "node", e);
	json_get_enum(&f, "action", JSON_REQUIRED, node_action_names, &value);
	json_get_str(&f, "reason", JSON_OPTIONAL, reason, CORE_REASON_MAX);
	*action = (enum node_action)value;
	return json_fields_end(&f);
}

int parse_power_cap(const char *text, size_t len, double *cap_w, struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	const json_t *v;
	int r = json_parse(text, len, PARSE_BODY_MAX, "the power cap", &doc, e);

	*cap_w = 0;
	if (r)
		return r;
	v = json_object_get(doc, "cap_w");
	if (json_object_size(doc) != 1 || !v ||
	    (!json_is_null(v) &&
	     (!json_is_number(v) || json_number_value(v) <= 0 || json_number_value(v) > 1e9)))
		return err_set(e, -EINVAL,
			       "power cap: must be {\"cap_w\":WATTS}, or null for none");
	*cap_w = json_is_null(v) ? 0 : json_number_value(v);
	return 0;
}

int parse_policy(const char *text, size_t len, const struct policy **p, struct policy_options *o,
		 struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	const json_t *options = NULL;
	char name[CORE_NAME_MAX] = "";
	struct json_fields f;
	int r = json_parse(text, len, PARSE_BODY_MAX, "the policy", &doc, e);

	*o = policy_options_default;
	if (r)
		return r;
	json_fields_init(&f, doc, "policy", e);
	json_get_str(&f, "name", JSON_REQUIRED, name, sizeof(name));
	json_get_obj(&f, "options", JSON_OPTIONAL, &options);
	*p = policy_find(name);
	if (!f.code && !*p)
		json_fail(&f, "name", "is not a policy; GET /v1/policies lists them");
	r = json_fields_end(&f);
	if (r || !options)
		return r;
	json_fields_init(&f, options, "policy.options", e);
	for (const struct policy_option *d = policy_options_table; d->name; d++) {
		double value = policy_option_get(d, o);
		uint64_t whole = (uint64_t)value;
		bool yes = value > 0;

		if (d->kind == OPTION_BOOL)
			json_get_bool(&f, d->name, JSON_OPTIONAL, &yes);
		else if (d->kind == OPTION_F64)
			json_get_f64(&f, d->name, JSON_OPTIONAL, d->min, d->max, &value);
		else
			json_get_u64(&f, d->name, JSON_OPTIONAL, (uint64_t)d->min, (uint64_t)d->max,
				     &whole);
		policy_option_set(d, o,
				  d->kind == OPTION_F64    ? value
				  : d->kind == OPTION_BOOL ? yes
							   : (double)whole);
	}
	return json_fields_end(&f);
}
