/*
 * Structures as the JSON of docs/formats/rest.md and agent-protocol.md. Each
 * gives a new reference, or NULL without memory.
 */
#ifndef DROVER_SCHEDULER_API_RENDER_H
#define DROVER_SCHEDULER_API_RENDER_H

#include <jansson.h>
#include "scheduler/core/core.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/policy/policy.h"
#include "scheduler/store/store.h"

/* live, if not NULL, overrides what changes between two writes. */
json_t *render_job(const struct job_record *r, const struct job *live);
json_t *render_migration(const struct migration_record *r);
json_t *render_live_migration(const struct migration *m);
/* What a person's decision on a node goes by, without its load, which changes all the time:
 * state_tag is its entity tag. */
json_t *render_node_state(const struct node *n);
json_t *render_node(const struct node *n, uint64_t now_ms);
json_t *render_bundle(const struct bundle_record *b);
json_t *render_policy(const struct policy *p, const struct policy_options *o);
/* The sum of a job, or of a part of it, without naming it. */
json_t *render_job_sum(const struct ledger_sum *s);
json_t *render_energy(const struct ledger *l, uint64_t from_ms, uint64_t to_ms);
/* log_held: bytes of output held per job of the node. */
json_t *render_desired(const struct node *n, uint64_t scheduler_epoch, struct store *s);
/* render_history.c */
json_t *render_id(uint64_t id);
json_t *render_decision(const struct decision_record *d, double actual_j);
json_t *render_segment_record(const struct segment_record *s);
/* Takes the joules out of a rendered history. */
void hide_history_energy(json_t *history);
json_t *render_change(const struct change_record *r);
json_t *render_model(const struct program *p, const struct machine *m, const struct belief *b,
		     const struct estimate *e);
json_t *render_policy_summary(const struct policy *p);
json_t *render_power_cap(const struct cluster *c);
json_t *render_isas(uint32_t isas);

#endif
