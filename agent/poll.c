/*
 * The thread that fetches the desired state by long poll, and the node's
 * introduction to the scheduler.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysinfo.h>

#include "agent/node.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "config.h"

#define POLL_WAIT_MS 20000

static uint64_t memory_bytes(void)
{
	struct sysinfo si;

	return sysinfo(&si) ? 0 : (uint64_t)si.totalram * si.mem_unit;
}

/* What each meter is and reads; the counted one is the node's energy. */
static json_t *meters(const struct node *n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->nmeters; i++) {
		const struct meter *m = n->meters[i];
		json_t *zones = json_array();

		for (size_t k = 0; m->channels && k < m->channels->n; k++)
			json_array_append_new(zones, json_string(m->channels->v[k].name));
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "name", m->name,
						"source", m->source, "scope", m->scope, "kind",
						m->kind, "counted", i == 0, "zones", zones));
	}
	return list;
}

/* What the profile says that policies weigh: sleep, speed, known programs. */
static void add_profile(json_t *j, const struct profile *p)
{
	const struct {
		const char *key;
		const struct profile_value *v;
	} values[] = {{"sleep_w", &p->sleep_w},
		      {"sleep_s", &p->sleep_s},
		      {"wake_s", &p->wake_s},
		      {"wake_j", &p->wake_j}};
	json_t *runs = json_object();
	char name[32];

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i].v->kind != PROFILE_UNKNOWN)
			json_object_set_new(j, values[i].key, json_real(values[i].v->value));
	if (profile_speed(p) > 0)
		json_object_set_new(j, "speed", json_real(profile_speed(p)));
	for (size_t k = 0; k < PROFILE_KERNELS; k++)
		for (size_t c = 0; c < PROFILE_CLASSES; c++) {
			snprintf(name, sizeof(name), "%s.%s", profile_kernels[k],
				 profile_classes[c]);
			if (p->time_s.value[k][c] > 0)
				json_object_set_new(runs, name, json_real(p->time_s.value[k][c]));
		}
	json_object_set_new(j, "runs", runs);
}

static json_t *introduction(struct node *n, const char *replaces)
{
	json_t *j = json_pack("{s:i, s:s, s:s, s:b, s:i, s:I, s:s, s:f, s:f, s:s, s:s, s:o}",
			      "version", 1, "instance", n->instance, "isa", isa_name(n->opt.isa),
			      "emulated", n->emulated, "cpus", (int)n->opt.cpus, "memory_bytes",
			      (json_int_t)memory_bytes(), "profile", n->profile.name, "idle_w",
			      n->profile.idle_w.value, "core_w", n->profile.core_w.value, "address",
			      n->opt.address, "software", PACKAGE_VERSION, "meters", meters(n));

	if (j)
		add_profile(j, &n->profile);
	if (j && *replaces)
		json_object_set_new(j, "replaces", json_string(replaces));
	if (j && n->emulated)
		json_object_set_new(j, "emulator", json_string("qemu-user"));
	return j;
}

static int take_introduction_answer(struct node *n, const json_t *out, struct err *e)
{
	struct json_fields f;
	uint64_t version = 0, epoch = 0, heartbeat = 1000;
	int rc;

	json_fields_init(&f, out, "answer", e);
	json_get_u64(&f, "version", JSON_REQUIRED, 1, 1, &version);
	json_get_u64(&f, "scheduler_epoch", JSON_REQUIRED, 0, INT64_MAX, &epoch);
	json_get_u64(&f, "heartbeat_ms", JSON_REQUIRED, 10, 3600000, &heartbeat);
	rc = json_fields_end_lax(&f);
	if (rc)
		return rc;
	pthread_mutex_lock(&n->lock);
	rc = node_scheduler_epoch(n, epoch);
	pthread_mutex_unlock(&n->lock);
	if (rc)
		return err_set(e, rc, "an older scheduler (epoch %" PRIu64 ") answered", epoch);
	atomic_store(&n->heartbeat_ms, (unsigned int)heartbeat);
	return 0;
}

/*
 * For the next start: whom it replaces. Before it is sent the introduction is written
 * down beside the last one that was taken, for the scheduler may take it and this
 * agent may end before it hears of that.
 */
static void keep_instance(struct node *n, bool taken)
{
	char path[256], text[80];
	struct err e = ERR_INIT;

	if (taken) {
		snprintf(n->replaces[0], sizeof(n->replaces[0]), "%s", n->instance);
		n->replaces[1][0] = '\0';
	}
	snprintf(path, sizeof(path), "%s/instance", n->opt.state_dir);
	snprintf(text, sizeof(text), "%s\n%s\n", n->instance, taken ? "" : n->replaces[0]);
	if (file_write_atomic(path, text, strlen(text), 0600, &e))
		log_err(LOG_LEVEL_WARN, "instance.not-kept", &e);
}

/* As whoever of this state directory the scheduler knows last. */
static int introduce_as(struct node *n, struct http_client *c, const char *path, struct err *e)
{
	int rc = -EEXIST;

	for (size_t i = 0; i < ARRAY_SIZE(n->replaces) && rc == -EEXIST; i++) {
		_cleanup_json_ json_t *in = NULL, *out = NULL;

		if (i && !n->replaces[i][0])
			break;
		err_clear(e);
		in = introduction(n, n->replaces[i]);
		rc = in ? http_json(c, "PUT", path, in, &out, e)
			: err_set(e, -ENOMEM, "no room for the introduction");
		if (!rc)
			rc = take_introduction_answer(n, out, e);
	}
	return rc;
}

int node_introduce(struct node *n, struct http_client *c, uint64_t since_ns, struct err *e)
{
	_cleanup_buf_ struct buf path = {0};
	int rc = 0;

	pthread_mutex_lock(&n->introduce_lock);
	if (atomic_load(&n->introduced_ns) <= since_ns || !atomic_load(&n->introduced_ns)) {
		buf_init(&path, 1024);
		rc = buf_str(&path, "/v1/agents/");
		if (!rc)
			rc = http_escape(&path, n->opt.name);
		if (rc)
			rc = err_set(e, rc, "no room for the introduction");
		if (!rc && !atomic_load(&n->introduced_ns))
			keep_instance(n, false);
		if (!rc && !fault_point("agent.before-introduce"))
			rc = introduce_as(n, c, buf_cstr(&path), e);
		if (!rc && !fault_point("agent.after-introduce")) {
			if (strcmp(n->replaces[0], n->instance) != 0)
				keep_instance(n, true);
			atomic_store(&n->introduced_ns, clock_monotonic_ns());
			log_info("scheduler.introduced server=%s name=%s", n->opt.server,
				 n->opt.name);
		}
	}
	pthread_mutex_unlock(&n->introduce_lock);
	return rc;
}

static void take_desired(struct node *n, const struct http_answer *a)
{
	struct desired d;
	struct err e = ERR_INIT;

	if (desired_parse(buf_cstr(&a->body), a->body.len, &d, &e)) {
		log_err(LOG_LEVEL_ERROR, "desired.refused", &e);
		node_pause(n, 500);
		return;
	}
	pthread_mutex_lock(&n->lock);
	if (node_scheduler_epoch(n, d.scheduler_epoch)) {
		log_warn("desired.refused reason=\"an older scheduler\" epoch=%" PRIu64,
			 d.scheduler_epoch);
		pthread_mutex_unlock(&n->lock);
		desired_free(&d);
		node_pause(n, 500);
		return;
	}
	desired_free(&n->fresh);
	n->fresh = d;
	n->have_fresh = true;
	pthread_mutex_unlock(&n->lock);
	node_wake(n);
}

static int poll_once(struct node *n, struct http_client *c, uint64_t *revision, bool *known,
		     struct err *e)
{
	_cleanup_answer_ struct http_answer a = {0};
	_cleanup_buf_ struct buf path = {0};
	struct http_request r = {.method = "GET",
				 .timeout_ms = POLL_WAIT_MS + 5000,
				 .max_answer = DESIRED_MAX_BYTES};
	uint64_t since = clock_monotonic_ns();
	int rc;

	buf_init(&path, 1024);
	rc = buf_str(&path, "/v1/agents/");
	if (!rc)
		rc = http_escape(&path, n->opt.name);
	if (!rc)
		rc = buf_printf(&path, "/desired?instance=%s&revision=%" PRIu64 "&wait_ms=%d",
				n->instance, *revision, *known ? POLL_WAIT_MS : 0);
	if (rc)
		return err_set(e, rc, "no room for the address");
	r.path = path.data;
	rc = http_do(c, &r, &a, e);
	if (rc)
		return rc;
	if (a.status == 404 || a.status == 409)
		return node_introduce(n, c, since, e);
	rc = http_check(&a, e);
	if (rc)
		return rc;
	take_desired(n, &a);
	pthread_mutex_lock(&n->lock);
	if (n->have_fresh || n->have_desired) {
		*revision = n->have_fresh ? n->fresh.revision : n->desired.revision;
		*known = true;
	}
	pthread_mutex_unlock(&n->lock);
	return 0;
}

void *poll_thread(void *arg)
{
	struct node *n = arg;
	struct err e = ERR_INIT;
	struct http_client *c = http_client_new(n->opt.server, &e);
	unsigned int failures = 0;
	uint64_t revision = 0;
	bool known = false;

	if (!c) {
		log_err(LOG_LEVEL_ERROR, "poll", &e);
		return NULL;
	}
	http_client_stop_on(c, &n->stop);
	while (!atomic_load(&n->stop)) {
		uint32_t r = 0;
		int rc;

		err_clear(&e);
		rc = atomic_load(&n->introduced_ns) ? 0 : node_introduce(n, c, 0, &e);
		if (!rc)
			rc = poll_once(n, c, &revision, &known, &e);
		if (!rc || rc == -ECANCELED) {
			failures = 0;
			continue;
		}
		if (failures == 0 || failures == 10)
			log_err(LOG_LEVEL_WARN, "scheduler.unreachable", &e);
		if (getrandom(&r, sizeof(r), 0) < 0)
			r = 0;
		node_pause(n, http_backoff_ms(++failures, r) / 2);
	}
	http_client_free(c);
	return NULL;
}
