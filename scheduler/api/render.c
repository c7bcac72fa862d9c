#include "scheduler/api/render.h"

#include <inttypes.h>
#include <string.h>

#include "common/http_server.h"
#include "common/json.h"

static void set(json_t *o, const char *key, json_t *v)
{
	(void)json_object_set_new(o, key, v);
}

static void set_u64(json_t *o, const char *key, uint64_t v)
{
	set(o, key, json_integer((json_int_t)v));
}

static void set_text(json_t *o, const char *key, const char *text)
{
	set(o, key, text ? json_string(text) : json_null());
}

static void set_id(json_t *o, const char *key, const char *prefix, uint64_t id)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%s%" PRIu64, prefix, id);
	set_text(o, key, text);
}

static void set_ms(json_t *o, const char *key, uint64_t ms)
{
	set(o, key, ms ? json_integer((json_int_t)ms) : json_null());
}

json_t *render_isas(uint32_t isas)
{
	json_t *a = json_array();

	for (int i = 0; i < ISA_COUNT; i++)
		if (isas & (1u << i))
			(void)json_array_append_new(a, json_string(isa_name((enum isa)i)));
	return a;
}

/* args, env and stdin out of the launch text. */
static void set_launch(json_t *o, const struct job_spec *spec, bool all)
{
	json_t *launch = spec->launch ? json_loads(spec->launch, 0, NULL) : NULL;

	set(o, "args", json_incref(json_object_get(launch, "args")));
	if (all && spec->array) {
		json_t *env = json_object_get(launch, "env");
		char index[16];

		(void)snprintf(index, sizeof(index), "%" PRIu32, spec->array_index);
		set_id(env, "DROVER_ARRAY_ID", "", spec->array);
		set_text(env, "DROVER_ARRAY_INDEX", index);
	}
	if (all) {
		set(o, "env", json_incref(json_object_get(launch, "env")));
		set(o, "stdin", json_incref(json_object_get(launch, "stdin")));
	}
	json_decref(launch);
}

static json_t *render_array(const struct job_spec *spec)
{
	json_t *o;

	if (!spec->array)
		return json_null();
	o = json_object();
	set_id(o, "id", "", spec->array);
	set_u64(o, "index", spec->array_index);
	return o;
}

static json_t *render_dependencies(const struct job_spec *spec)
{
	json_t *a = json_array();

	for (uint32_t i = 0; i < spec->ndependencies; i++) {
		json_t *o = json_object();

		set_text(o, "type", dependency_type_names[spec->dependencies[i].type]);
		set_id(o, "job", "", spec->dependencies[i].job);
		if (spec->dependencies[i].array)
			(void)json_object_set_new(o, "array", json_true());
		(void)json_array_append_new(a, o);
	}
	return a;
}

json_t *render_job(const struct job_record *r, const struct job *live)
{
	const struct job *j = live ? live : &r->job;
	bool placed = j->attempt > 0, here = j->state != JOB_PENDING && placed;
	bool exited = j->state == JOB_COMPLETED || j->state == JOB_FAILED;
	json_t *o = json_object();

	set_id(o, "id", "", j->id);
	set_text(o, "name", j->spec.name);
	set_text(o, "user", j->spec.user);
	set_text(o, "bundle", j->spec.bundle);
	set_launch(o, &j->spec, false);
	set_u64(o, "cpus", j->spec.cpus);
	set_u64(o, "memory_bytes", j->spec.memory_bytes);
	set_u64(o, "time_limit_s", j->spec.time_limit_s);
	set(o, "isas", render_isas(j->spec.isas));
	set_text(o, "state", job_state_names[j->state]);
	set_text(o, "reason", j->reason);
	set_text(o, "reason_code",
		 j->state == JOB_PENDING && j->why ? reason_code_names[j->why] : NULL);
	set(o, "priority", json_integer(j->spec.priority));
	set(o, "held", json_boolean(j->spec.held));
	set(o, "requeue", json_boolean(!j->spec.no_requeue));
	set_ms(o, "begin_ms", j->spec.begin_ms);
	set(o, "array", render_array(&j->spec));
	set(o, "dependencies", render_dependencies(&j->spec));
	set(o, "predicted_j", j->predicted_j > 0 ? json_real(j->predicted_j) : json_null());
	set_ms(o, "expected_end_ms", job_is_over(j) ? 0 : j->expected_end_ms);
	set_text(o, "node", here ? j->last_node : NULL);
	set_text(o, "isa", here ? isa_name(j->last_isa) : NULL);
	set(o, "emulated", json_boolean(here && j->last_emulated));
	set_u64(o, "attempt", j->attempt);
	set_u64(o, "epoch", j->epoch);
	set_u64(o, "restarts", j->restarts);
	set_u64(o, "max_restarts", j->spec.max_restarts);
	set(o, "exit_code", exited ? json_integer(j->exit_code) : json_null());
	set(o, "signal", exited ? json_integer(j->signal) : json_null());
	set_ms(o, "submitted_ms", j->submitted_ms);
	set_ms(o, "started_ms", j->started_ms);
	set_ms(o, "ended_ms", j->ended_ms);
	set_u64(o, "migrations", j->migrations);
	set_u64(o, "downtime_us", j->downtime_us);
	set_u64(o, "cpu_us", j->cpu_us_before + j->cpu_us_here);
	if (j->migration)
		set_id(o, "migration", "m", j->migration->id);
	else
		set(o, "migration", json_null());
	if (r) {
		set_u64(o, "energy_uj", r->energy_uj);
		set_text(o, "energy_kind", r->energy_kind[0] ? r->energy_kind : NULL);
	}
	return o;
}

json_t *render_migration(const struct migration_record *r)
{
	const struct migration *m = &r->m;
	json_t *o = json_object();

	set_id(o, "id", "m", m->id);
	set_id(o, "job", "", m->job);
	set_u64(o, "attempt", m->attempt);
	set_u64(o, "next_epoch", m->next_epoch);
	set_text(o, "from", r->from);
	set_text(o, "to", r->to);
	set_text(o, "from_isa", isa_name(r->from_isa));
	set_text(o, "to_isa", isa_name(r->to_isa));
	set_text(o, "state", migration_state_names[m->state]);
	set_text(o, "reason", m->reason);
	set_text(o, "error", m->error[0] ? m->error : NULL);
	set_text(o, "deferred", m->note[0] ? m->note : NULL);
	set(o, "manual", json_boolean(m->manual));
	set(o, "predicted_saving_j", json_real(m->predicted_j));
	set_ms(o, "requested_ms", m->requested_ms);
	set_ms(o, "committed_ms", m->committed_ms);
	set_ms(o, "ended_ms", m->ended_ms);
	set_u64(o, "image_bytes", m->image_bytes);
	set_u64(o, "frames", m->frames);
	set_u64(o, "save_us", m->save_us);
	set_u64(o, "transfer_us", m->transfer_us);
	set_u64(o, "load_us", m->load_us);
	set_u64(o, "rebuild_us", m->rebuild_us);
	set_u64(o, "downtime_us", m->downtime_us);
	set_text(o, "downtime_clock",
		 !m->downtime_us         ? NULL
		 : m->downtime_monotonic ? "monotonic"
					 : "wall");
	return o;
}

json_t *render_live_migration(const struct migration *m)
{
	struct migration_record r = {.m = *m, .from_isa = m->from->isa, .to_isa = m->to->isa};

	memcpy(r.from, m->from->name, sizeof(r.from));
	memcpy(r.to, m->to->name, sizeof(r.to));
	return render_migration(&r);
}

static double modelled_w(const struct node *n, double busy)
{
	switch (n->state) {
	case NODE_UP:
	case NODE_DRAINING:
	case NODE_DRAINED:
		return n->idle_w + n->core_w * busy;
	case NODE_SLEEPING:
	case NODE_ASLEEP:
	case NODE_WAKING:
		return (double)n->mw / 1000;
	default:
		return 0;
	}
}

json_t *render_node_state(const struct node *n)
{
	return json_pack("{s:s, s:s, s:b, s:b, s:I}", "name", n->name, "state",
			 node_state_names[n->state], "cordoned", n->cordoned, "draining",
			 n->draining, "since_ms", (json_int_t)n->changed_ms);
}

static json_t *state_tag(const struct node *n)
{
	_cleanup_json_ json_t *state = render_node_state(n);
	char tag[20];

	http_json_tag(state, tag);
	return json_string(tag);
}

json_t *render_node(const struct node *n, uint64_t now_ms)
{
	json_t *o = json_object(), *meters = n->meters ? json_loads(n->meters, 0, NULL) : NULL;
	uint64_t running = 0;
	double busy = n->cpu_percent / 100.0;

	list_each(i, &n->jobs) running++;
	if (busy > n->cpus)
		busy = n->cpus;
	set_text(o, "name", n->name);
	set_text(o, "isa", isa_name(n->isa));
	set(o, "emulated", json_boolean(n->emulated));
	set_text(o, "emulator", n->emulator[0] ? n->emulator : NULL);
	set_text(o, "state", node_state_names[n->state]);
	set_text(o, "state_reason", n->state_reason[0] ? n->state_reason : NULL);
	set(o, "cordoned", json_boolean(n->cordoned));
	set(o, "sleep_capable", json_boolean(n->sleep_capable));
	set_u64(o, "used_memory_bytes", n->used_memory_bytes);
	set(o, "speed", n->speed > 0 ? json_real(n->speed) : json_null());
	set_u64(o, "cpus", n->cpus);
	set_u64(o, "used_cpus", n->used_cpus);
	set_u64(o, "memory_bytes", n->memory_bytes);
	set_u64(o, "memory_used_bytes", n->memory_used_bytes);
	set_u64(o, "jobs", running);
	set(o, "cpu_percent", json_real(n->cpu_percent));
	set_text(o, "address", n->address);
	set_text(o, "profile", n->profile[0] ? n->profile : NULL);
	set(o, "idle_w", json_real(n->idle_w));
	set(o, "core_w", json_real(n->core_w));
	/* What the profile says for this load; measured energy is in /v1/energy. */
	set(o, "power_w", json_real(modelled_w(n, busy)));
	set(o, "predicted_w", json_real((double)n->mw / 1000));
	set_text(o, "power_kind", "modelled");
	set(o, "meters", meters ? meters : json_array());
	set_text(o, "software", n->software);
	set_ms(o, "since_ms", n->changed_ms);
	set(o, "state_tag", state_tag(n));
	set_u64(o, "silent_ms", now_ms > n->seen_ms ? now_ms - n->seen_ms : 0);
	return o;
}

json_t *render_bundle(const struct bundle_record *b)
{
	json_t *o = json_object();

	set_text(o, "sha256", b->sha);
	set_text(o, "name", b->name);
	set_u64(o, "size", b->size);
	set(o, "isas", render_isas(b->isas));
	set_ms(o, "created_ms", b->created_ms);
	return o;
}

/* ---- energy ------------------------------------------------------------- */

static json_t *render_sum(const struct ledger_sum *s)
{
	json_t *o = json_object();

	if (s->node[0])
		set_text(o, "node", s->node);
	if (s->job)
		set_id(o, "job", "", s->job);
	set_u64(o, "energy_uj", s->energy_uj);
	if (s->job) {
		set_u64(o, "idle_share_uj", s->idle_attributed_uj);
		set_u64(o, "energy_with_idle_uj", s->energy_uj + s->idle_attributed_uj);
	} else {
		set_u64(o, "idle_uj", s->idle_uj);
		set_u64(o, "idle_attributed_uj", s->idle_attributed_uj);
		set_u64(o, "jobs_uj", s->jobs_uj);
		set_u64(o, "system_uj", s->system_uj);
		set_u64(o, "gap_ms", s->gap_ms);
		set(o, "balanced", json_boolean(s->balanced));
	}
	set_text(o, "source", s->source[0] ? s->source : NULL);
	set_text(o, "scope", s->scope[0] ? s->scope : NULL);
	set_text(o, "kind", s->kind[0] ? s->kind : NULL);
	set(o, "mixed", json_boolean(!strcmp(s->kind, "mixed")));
	set_ms(o, "from_ms", s->from_ms);
	set_ms(o, "to_ms", s->to_ms);
	return o;
}

json_t *render_job_sum(const struct ledger_sum *s)
{
	struct ledger_sum job = *s;
	json_t *o;

	job.node[0] = '\0';
	job.job = 1; /* of that kind; its id is told elsewhere */
	o = render_sum(&job);
	(void)json_object_del(o, "job");
	return o;
}

json_t *render_energy(const struct ledger *l, uint64_t from_ms, uint64_t to_ms)
{
	json_t *o = json_object(), *nodes = json_array(), *jobs = json_array();

	for (size_t i = 0; i < l->nnodes; i++)
		(void)json_array_append_new(nodes, render_sum(&l->nodes[i]));
	for (size_t i = 0; i < l->njobs; i++)
		(void)json_array_append_new(jobs, render_sum(&l->jobs[i]));
	set_u64(o, "from_ms", from_ms);
	set_u64(o, "to_ms", to_ms);
	set(o, "total", render_sum(&l->total));
	set(o, "nodes", nodes);
	set(o, "jobs", jobs);
	return o;
}

/* ---- desired state ------------------------------------------------------ */

struct desired_arg {
	json_t *jobs;
	struct store *store;
};

static void render_entry(const struct desired *d, void *arg)
{
	const struct desired_arg *a = arg;
	const struct job *j = d->job;
	json_t *o = json_object(), *m;

	set_id(o, "id", "", j->id);
	set_u64(o, "attempt", j->attempt);
	set_u64(o, "epoch", j->epoch);
	set_text(o, "role", desired_role_names[d->role]);
	set_text(o, "bundle", j->spec.bundle);
	set_launch(o, &j->spec, true);
	set_text(o, "name", j->spec.name);
	set_u64(o, "cpus", j->spec.cpus);
	set_u64(o, "memory_bytes", j->spec.memory_bytes);
	set_u64(o, "time_limit_s", j->spec.time_limit_s);
	set_u64(o, "log_bytes", store_log_size(a->store, j->id, j->attempt));
	if (d->phase != PHASE_NONE) {
		m = json_object();
		set_id(m, "id", "m", d->migration);
		set_text(m, "phase", desired_phase_names[d->phase]);
		if (d->m) {
			set_u64(m, "next_epoch", d->m->next_epoch);
			if (d->phase == PHASE_SEND) {
				set_text(m, "endpoint", d->m->endpoint);
				set_text(m, "secret", d->m->secret);
			}
		}
		set(o, "migration", m);
	}
	(void)json_array_append_new(a->jobs, o);
}

json_t *render_desired(const struct node *n, uint64_t scheduler_epoch, struct store *s)
{
	struct desired_arg a = {json_array(), s};
	json_t *o = json_object();

	core_desired(n, render_entry, &a);
	set_u64(o, "version", 1);
	set_u64(o, "scheduler_epoch", scheduler_epoch);
	set_u64(o, "revision", n->revision);
	set(o, "jobs", a.jobs);
	return o;
}
