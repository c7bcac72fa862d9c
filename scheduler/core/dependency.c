/*
 * Dependencies of a job on others: their text, and what an end means for them.
 */
#include "scheduler/core/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define ONE_MAX 48

static const char array_mark[] = "[]";
static const char *const state_marks[DEP_STATE_COUNT] = {"", "=met", "=never"};

char *dependencies_format(const struct job_spec *spec)
{
	char *text = malloc((size_t)spec->ndependencies * ONE_MAX + 1);
	size_t at = 0;

	if (!text)
		return NULL;
	text[0] = '\0';
	for (uint32_t i = 0; i < spec->ndependencies; i++) {
		const struct dependency *d = &spec->dependencies[i];

		at += (size_t)snprintf(text + at, ONE_MAX, "%s%s:%" PRIu64 "%s%s", i ? "," : "",
				       dependency_type_names[d->type], d->job,
				       d->array ? array_mark : "", state_marks[d->state]);
	}
	return text;
}

static const char *parse_one(const char *s, struct dependency *d)
{
	char *end;

	for (int t = 0; t < DEP_TYPE_COUNT; t++) {
		size_t len = strlen(dependency_type_names[t]);

		if (strncmp(s, dependency_type_names[t], len) || s[len] != ':' ||
		    s[len + 1] < '1' || s[len + 1] > '9')
			continue;
		*d = (struct dependency){.type = (enum dependency_type)t};
		errno = 0;
		d->job = strtoull(s + len + 1, &end, 10);
		if (errno || d->job > INT64_MAX)
			return NULL;
		if (!strncmp(end, array_mark, sizeof(array_mark) - 1)) {
			d->array = true;
			end += sizeof(array_mark) - 1;
		}
		for (int k = DEP_MET; k < DEP_STATE_COUNT; k++) {
			len = strlen(state_marks[k]);
			if (!strncmp(end, state_marks[k], len)) {
				d->state = (enum dependency_state)k;
				end += len;
				break;
			}
		}
		return end;
	}
	return NULL;
}

int dependencies_parse(const char *text, struct job_spec *spec)
{
	struct dependency v[CORE_DEPENDENCIES_MAX];
	uint32_t n = 0;

	while (*text) {
		if (n == CORE_DEPENDENCIES_MAX)
			return -EINVAL;
		text = parse_one(text, &v[n]);
		if (!text || (*text && *text != ',') || (*text == ',' && !text[1]))
			return -EINVAL;
		text += *text == ',';
		n++;
	}
	spec->dependencies = n ? calloc(n, sizeof(v[0])) : NULL;
	spec->ndependencies = 0;
	if (!n)
		return 0;
	if (!spec->dependencies)
		return -ENOMEM;
	memcpy(spec->dependencies, v, n * sizeof(v[0]));
	spec->ndependencies = n;
	return 0;
}

/* ---- links ----------------------------------------------------------------- */

/* The list of those that wait for what d names; NULL: it isn't there, or is over. */
static struct list *dependents_of(struct cluster *c, const struct job *waiter,
				  const struct dependency *d)
{
	struct job_array *a = d->array ? queue_array(c, d->job) : NULL;
	struct job *on = d->array ? NULL : cluster_job(c, d->job);

	if (a)
		return a->live && waiter->spec.array != a->id ? &a->dependents : NULL;
	return on && !job_is_over(on) && on != waiter ? &on->dependents : NULL;
}

int links_make(struct cluster *c, struct job *j)
{
	list_init(&j->dependents);
	j->links = NULL;
	for (uint32_t i = 0; i < j->spec.ndependencies; i++) {
		struct dependency *d = &j->spec.dependencies[i];
		struct list *of = d->state == DEP_WAITS ? dependents_of(c, j, d) : NULL;

		if (d->state != DEP_WAITS)
			continue;
		if (!of) {
			/* Nobody knows how it ended. */
			d->state = d->type == DEP_AFTERANY ? DEP_MET : DEP_NEVER;
			continue;
		}
		if (!j->links)
			j->links = calloc(j->spec.ndependencies, sizeof(*j->links));
		if (!j->links)
			return -ENOMEM;
		j->links[i] = (struct link){.waiter = j, .index = i};
		list_push(of, &j->links[i].at);
	}
	return 0;
}

void links_drop(struct job *j)
{
	for (uint32_t i = 0; j->links && i < j->spec.ndependencies; i++)
		if (j->links[i].waiter)
			list_remove(&j->links[i].at);
	free(j->links);
	j->links = NULL;
}

static void decide(struct cluster *c, uint64_t now_ms, struct link *l, bool met, struct effects *fx)
{
	struct job *j = l->waiter;

	list_remove(&l->at);
	l->waiter = NULL;
	j->spec.dependencies[l->index].state = met ? DEP_MET : DEP_NEVER;
	queue_remove(c, j, true);
	if (queue_add(c, now_ms, j))
		fx->failed = true;
	fx_job(fx, j);
}

static bool after_any(const struct link *l)
{
	return l->waiter->spec.dependencies[l->index].type == DEP_AFTERANY;
}

void links_decide(struct cluster *c, uint64_t now_ms, struct job *ended, struct effects *fx)
{
	struct job_array *a = queue_array(c, ended->spec.array);
	bool ok = ended->state == JOB_COMPLETED;

	list_each_safe(i, t, &ended->dependents)
	{
		struct link *l = list_entry(i, struct link, at);

		decide(c, now_ms, l, ok || after_any(l), fx);
	}
	if (!a)
		return;
	a->live--;
	a->failed |= !ok;
	/* One element is enough for never; for met it takes all. */
	list_each_safe(i, t, &a->dependents)
	{
		struct link *l = list_entry(i, struct link, at);

		if (!a->live || (a->failed && !after_any(l)))
			decide(c, now_ms, l, !a->failed || after_any(l), fx);
	}
}
