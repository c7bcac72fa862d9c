/*
 * The baseline of the savings: a policy and a cluster, kept among the store's
 * settings. Until an operator chooses one it is static-x86 on as many machines as
 * the cluster has, all like its first x86-64 one; on a cluster without x86-64
 * machines static-balanced on machines like its own.
 */
#include <errno.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/render.h"
#include "scheduler/api/savings.h"

void baseline_free(struct baseline *b)
{
	json_decref(b->cluster);
	memset(b, 0, sizeof(*b));
}

int baseline_machines(const struct baseline *b, unsigned int process_nm, struct machines *m,
		      struct err *e)
{
	_cleanup_json_ json_t *doc = json_pack("{s:O}", "nodes", b->cluster);

	memset(m, 0, sizeof(*m));
	if (!doc || (process_nm &&
		     json_object_set_new(doc, "process_nm", json_integer((json_int_t)process_nm))))
		return err_set(e, -ENOMEM, "no memory for the baseline's cluster");
	return machines_parse(doc, false, m, e);
}

static void add_machines(json_t *cluster, const char *profile, json_int_t count)
{
	json_t *v;
	size_t i;

	json_array_foreach(cluster, i, v)
	{
		if (strcmp(json_string_value(json_object_get(v, "profile")), profile) != 0)
			continue;
		count += json_integer_value(json_object_get(v, "count"));
		(void)json_object_set_new(v, "count", json_integer(count));
		return;
	}
	(void)json_array_append_new(cluster,
				    json_pack("{s:s, s:I}", "profile", profile, "count", count));
}

static int parse_cluster(const json_t *list, struct baseline *b, struct err *e)
{
	json_t *v;
	size_t i;

	b->cluster = json_array();
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
	{
		char profile[PROFILE_NAME_MAX] = "", path[40];
		uint64_t count = 1;
		struct json_fields f;
		int r;

		(void)snprintf(path, sizeof(path), "baseline.cluster[%zu]", i);
		json_fields_init(&f, v, path, e);
		json_get_str(&f, "profile", JSON_REQUIRED, profile, sizeof(profile));
		json_get_u64(&f, "count", JSON_OPTIONAL, 1, MACHINES_MAX_NODES, &count);
		r = json_fields_end(&f);
		if (r)
			return r;
		add_machines(b->cluster, profile, (json_int_t)count);
	}
	return 0;
}

int baseline_parse(const char *text, size_t len, struct baseline *b, struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	const json_t *cluster = NULL;
	bool standard = false;
	char policy[64] = "";
	struct machines m;
	struct json_fields f;
	int r = json_parse(text, len, PARSE_BODY_MAX, "the baseline", &doc, e);

	memset(b, 0, sizeof(*b));
	if (r)
		return r;
	json_fields_init(&f, doc, "baseline", e);
	json_get_bool(&f, "default", JSON_OPTIONAL, &standard);
	json_get_str(&f, "policy", standard ? JSON_OPTIONAL : JSON_REQUIRED, policy,
		     sizeof(policy));
	json_get_arr(&f, "cluster", standard ? JSON_OPTIONAL : JSON_REQUIRED, MACHINES_MAX_GROUPS,
		     &cluster);
	if (standard && (policy[0] || cluster))
		json_fail(&f, "default", "goes without policy and cluster");
	if (policy[0] && !(b->policy = policy_find(policy)))
		json_fail(&f, "policy", "there is no policy '%.40s' (GET /v1/policies)", policy);
	r = json_fields_end(&f);
	if (!r && cluster)
		r = parse_cluster(cluster, b, e);
	if (!r && cluster && !(r = baseline_machines(b, 0, &m, e)))
		machines_release(&m);
	if (r == -ENOENT) {
		e->code = r = -EINVAL; /* a profile that isn't there, not the path of the request */
		err_hint(e, "name one of the scheduler's profiles");
	}
	b->chosen = !standard;
	if (r)
		baseline_free(b);
	return r;
}

/* What the node says it is, if there is such a profile, else its ISA's. */
static const char *profile_of(const struct node *n)
{
	struct profile p;
	struct err e = ERR_INIT;

	if (n->profile[0] && !strchr(n->profile, '/') && strlen(n->profile) < PROFILE_NAME_MAX &&
	    !profile_load(n->profile, &p, &e))
		return n->profile;
	return profile_default(n->isa);
}

static int standard(const struct cluster *c, struct baseline *b, struct err *e)
{
	const struct node *x86 = NULL;
	uint32_t count = c->nnodes < MACHINES_MAX_NODES ? c->nnodes : MACHINES_MAX_NODES;

	b->chosen = false;
	b->cluster = json_array();
	if (!b->cluster)
		return err_set(e, -ENOMEM, "no memory for the baseline");
	for (uint32_t i = 0; i < c->nnodes && !x86; i++)
		if (c->nodes[i]->isa == ISA_X86_64)
			x86 = c->nodes[i];
	if (x86 || !count) {
		b->policy = &policy_static_x86;
		add_machines(b->cluster, x86 ? profile_of(x86) : profile_default(ISA_X86_64),
			     count ? count : 1);
		return 0;
	}
	b->policy = &policy_static_balanced;
	for (uint32_t i = 0; i < count; i++)
		add_machines(b->cluster,
			     i && !strcmp(c->nodes[i]->profile, c->nodes[i - 1]->profile)
				     ? json_string_value(json_object_get(
					       json_array_get(b->cluster,
							      json_array_size(b->cluster) - 1),
					       "profile"))
				     : profile_of(c->nodes[i]),
			     1);
	return 0;
}

int baseline_get(struct engine *en, struct baseline *b, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r = store_setting(en->store, BASELINE_SETTING, &text, e);

	memset(b, 0, sizeof(*b));
	if (r)
		return r;
	if (text && text[0])
		return baseline_parse(text, strlen(text), b, e);
	return standard(en->cluster, b, e);
}

json_t *baseline_json(const struct baseline *b)
{
	json_t *policy = render_policy(b->policy, &policy_options_default);
	json_t *out =
		json_pack("{s:s, s:O, s:O, s:b}", "policy", b->policy->name, "cluster", b->cluster,
			  "options", json_object_get(policy, "options"), "default", !b->chosen);

	json_decref(policy);
	return out;
}

/* ---- routes ------------------------------------------------------------- */

void handle_baseline(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct baseline b = {0};
	struct err e = ERR_INIT;

	if (engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (baseline_get(en, &b, &e))
		http_reply_err(rq, &e);
	else
		http_reply_json(rq, 200, baseline_json(&b));
	engine_unlock(en);
	baseline_free(&b);
}

static int write_baseline(struct store *s, void *arg, struct err *e)
{
	return store_set_setting(s, BASELINE_SETTING, arg, e);
}

/* {"policy","cluster"}; empty for the default. */
static char *setting_of(const struct baseline *b)
{
	json_t *doc;
	char *text;

	if (!b->policy)
		return strdup("");
	doc = json_pack("{s:s, s:O}", "policy", b->policy->name, "cluster", b->cluster);
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	return text;
}

static void set_locked(struct engine *en, struct http_exchange *rq, const char *text)
{
	struct engine_extra extra = {write_baseline, (void *)(uintptr_t)text};
	struct effects fx = {0};
	struct baseline b = {0};
	struct err e = ERR_INIT;
	json_t *now = NULL;

	if (baseline_get(en, &b, &e)) {
		/* One that can't be used any more (its profile is gone) may be replaced. */
		log_warn("savings.baseline reason=\"%s\"", e.msg);
		err_clear(&e);
	} else {
		now = baseline_json(&b);
	}
	baseline_free(&b);
	if (!now || http_if_match(rq, now)) {
		if (engine_commit(en, &fx, &extra, &e) || baseline_get(en, &b, &e)) {
			http_reply_err(rq, &e);
		} else {
			savings_baseline_changed(en->savings);
			log_info("savings.baseline policy=%s chosen=%s", b.policy->name,
				 b.chosen ? "yes" : "no");
			http_reply_json(rq, 200, baseline_json(&b));
		}
	}
	json_decref(now);
	baseline_free(&b);
}

void handle_set_baseline(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct err_fields fields = {0};
	_cleanup_free_ char *text = NULL;
	struct baseline b = {0};
	struct err e = ERR_INIT;
	size_t len;
	const void *body = http_body(rq, &len);

	e.fields = &fields;
	if (baseline_parse(body, len, &b, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	e.fields = NULL;
	text = setting_of(&b);
	baseline_free(&b);
	if (!text) {
		http_reply_problem(rq, 500, "no memory for the baseline", NULL);
		return;
	}
	if (engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	set_locked(en, rq, text);
	engine_unlock(en);
}
