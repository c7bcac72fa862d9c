/*
 * unbalance and static-unbalanced: more cpus in use on faster nodes, in
 * proportion to their speeds or as the option bias says.
 */
#include "scheduler/policy/policy.h"

static const char *const dynamic_options[] = {
	"bias",           "hysteresis",   "cooldown_ms", "max_in_flight",
	"require_saving", "min_saving_j", "horizon_s",   NULL};
static const char *const static_options[] = {"bias", NULL};

static struct node *place(struct policy_view *v, const struct job *j, const char **why)
{
	*why = "unbalance: fewest cpus in use for its speed";
	return spread_place(v, j, weight_speed, j->spec.isas);
}

static void moves(struct policy_view *v)
{
	spread_moves(v, weight_speed, "unbalance");
}

static struct node *place_static(struct policy_view *v, const struct job *j, const char **why)
{
	*why = "static-unbalanced: fewest cpus in use for its speed";
	return spread_place(v, j, weight_speed, j->spec.isas);
}

const struct policy policy_unbalance = {
	.name = "unbalance",
	.summary = "more cpus in use on faster nodes; running jobs move to keep it so",
	.options = dynamic_options,
	.place = place,
	.moves = moves,
};

const struct policy policy_static_unbalanced = {
	.name = "static-unbalanced",
	.summary = "start on the node with the fewest cpus in use for its speed, never move",
	.options = static_options,
	.place = place_static,
};
