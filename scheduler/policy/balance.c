/*
 * balance and static-balanced: as many cpus in use on every node, whatever its
 * ISA. With balance running jobs follow, from the node with the most to the one
 * with the fewest, so that a machine that finishes early takes over work.
 */
#include "scheduler/policy/policy.h"

static const char *const dynamic_options[] = {
	"hysteresis", "cooldown_ms", "max_in_flight", "require_saving", "min_saving_j",
	"horizon_s",  NULL};
static const char *const static_options[] = {NULL};

static struct node *place(struct policy_view *v, const struct job *j, const char **why)
{
	*why = "balance: fewest cpus in use";
	return spread_place(v, j, weight_equal, j->spec.isas);
}

static void moves(struct policy_view *v)
{
	spread_moves(v, weight_equal, "balance");
}

static struct node *place_static(struct policy_view *v, const struct job *j, const char **why)
{
	*why = "static-balanced: fewest cpus in use";
	return spread_place(v, j, weight_equal, j->spec.isas);
}

const struct policy policy_balance = {
	.name = "balance",
	.summary = "as many cpus in use on every node; running jobs move to keep it so",
	.options = dynamic_options,
	.place = place,
	.moves = moves,
};

const struct policy policy_static_balanced = {
	.name = "static-balanced",
	.summary = "start on the node with the fewest cpus in use, never move",
	.options = static_options,
	.place = place_static,
};
