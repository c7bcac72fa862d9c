/*
 * What moving a running job is expected to save: its own joules, by what is
 * believed of its program (estimate.c), and idle power, by when nodes come to
 * be empty.
 */
#include "scheduler/core/internal.h"

static double left_now(const struct cluster *c, const struct job *j, double here_s)
{
	return work_left(j->done + (double)(c->now_ms - j->segment_ms) / 1000 / here_s);
}

double core_awake_w(const struct machine *m)
{
	return m->idle_w > m->sleep_w ? m->idle_w - m->sleep_w : 0;
}

/* Emptied nodes may sleep: the share of the idle power that the job keeps the source awake for,
 * less what it keeps the destination awake for, if that would be empty without it and its fellows.
 */
static double idle_by_sleep(const struct saving *s, const struct job *j, const struct node *to)
{
	const struct node *from = j->node;
	uint32_t fellows = from->used_cpus < to->cpus ? from->used_cpus : to->cpus;
	double j_saved = core_awake_w(from->machine) * s->stay_s * j->spec.cpus / from->used_cpus;

	if (!to->used_cpus)
		j_saved -= core_awake_w(to->machine) * s->go_s * j->spec.cpus /
			   (fellows > j->spec.cpus ? fellows : j->spec.cpus);
	return j_saved;
}

/* Kept until a job comes, goes, or is expected to end at another time. */
static uint64_t last_end_of_all(struct node *n)
{
	uint64_t last = 1;

	if (n->last_end_known)
		return n->last_end_ms;
	list_each(i, &n->jobs)
	{
		const struct job *j = list_entry(i, struct job, at);

		if (!j->expected_end_ms)
			last = 0;
		else if (last && j->expected_end_ms > last)
			last = j->expected_end_ms;
	}
	n->last_end_known = true;
	n->last_end_ms = last;
	return last;
}

static uint64_t last_end_but(const struct cluster *c, const struct node *n,
			     const struct job *except)
{
	uint64_t last = 0, horizon_ms = (uint64_t)(c->policy_opt.horizon_s * 1000);

	list_each(i, &n->jobs)
	{
		const struct job *j = list_entry(i, struct job, at);
		uint64_t end = j->expected_end_ms ? j->expected_end_ms : c->now_ms + horizon_ms;

		if (j != except && end > last)
			last = end;
	}
	return last;
}

uint64_t core_last_end_ms(const struct cluster *c, struct node *n, const struct job *except)
{
	uint64_t last = except && except->node == n ? 0 : last_end_of_all(n);

	if (!last)
		last = last_end_but(c, n, except);
	list_each(i, &n->incoming)
	{
		const struct migration *m = list_entry(i, struct migration, at);

		if (m->live && m->live != except && m->live->expected_end_ms > last)
			last = m->live->expected_end_ms;
	}
	return last > c->now_ms ? last : c->now_ms;
}

double core_awake_j(const struct cluster *c, struct node *n, const struct job *j, double seconds)
{
	double others_s = (double)(core_last_end_ms(c, n, j) - c->now_ms) / 1000;

	return seconds > others_s ? core_awake_w(n->machine) * (seconds - others_s) : 0;
}

/* Each node is awake until its last job ends: what the job has to do with that, here and there. */
static double idle_by_last(const struct cluster *c, const struct saving *s, const struct job *j,
			   struct node *to)
{
	return core_awake_j(c, j->node, j, s->stay_s) - core_awake_j(c, to, j, s->go_s);
}

/* Nodes that never sleep draw their idle power until the last job ends: what a sooner end saves. */
static double idle_by_end(const struct cluster *c, const struct saving *s, const struct job *j)
{
	const struct tree_node *before = tree_before(&c->ends, j->key->order.key, j->id);
	double others_s = 0, new_s;

	if (c->waiting_cpus || tree_after(&c->ends, j->key->order.key, j->id))
		return 0;
	if (before) {
		const struct job *o = job_of(before);

		if (!o->expected_end_ms)
			return 0;
		others_s = o->expected_end_ms > c->now_ms
				   ? (double)(o->expected_end_ms - c->now_ms) / 1000
				   : 0;
	}
	new_s = s->go_s > others_s ? s->go_s : others_s;
	return (double)c->idle_mw / 1000 * ((s->stay_s > others_s ? s->stay_s : others_s) - new_s);
}

struct saving core_saving(const struct cluster *c, const struct job *j, struct node *to)
{
	const struct machine *a = j->node->machine, *b = to->machine;
	struct estimate here = core_estimate(j, a), there = core_estimate(j, b);
	struct saving s = {0};

	if (here.seconds > 0 && there.seconds > 0) {
		double left = left_now(c, j, here.seconds);

		s.stay_s = left * here.seconds;
		s.go_s = left * there.seconds;
	} else {
		s.stay_s = c->policy_opt.horizon_s;
		s.go_s = s.stay_s * node_speed(a) / node_speed(b);
	}
	s.stay_j = s.stay_s * here.watts;
	s.go_j = s.go_s * there.watts;
	if (c->policy && c->policy_by_last_end)
		s.idle_j = idle_by_last(c, &s, j, to);
	else if (c->policy && c->policy_sleeps)
		s.idle_j = idle_by_sleep(&s, j, to);
	else
		s.idle_j = idle_by_end(c, &s, j);
	/* Both sides are busy with it: saving and sending here, receiving and loading there. */
	s.move_w = j->spec.cpus * (a->core_w + b->core_w);
	s.move_j = c->move_s * s.move_w;
	s.net_j = s.stay_j - s.go_j + s.idle_j - s.move_j;
	return s;
}

bool core_worth(const struct cluster *c, const struct saving *s)
{
	const struct policy_options *o = &c->policy_opt;

	return !o->require_saving || s->net_j > o->min_saving_j + o->hysteresis * s->move_j;
}
