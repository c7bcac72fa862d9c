/*
 * The handlers behind routes.c, by the noun they serve. ctx is the engine.
 */
#ifndef DROVER_SCHEDULER_API_HANDLERS_H
#define DROVER_SCHEDULER_API_HANDLERS_H

#include "scheduler/api/engine.h"

extern const struct http_route api_routes[];
extern const size_t api_nroutes;

/* Who may call a route. */
enum access {
	ACCESS_ANY,      /* everybody, also without a token */
	ACCESS_READ,     /* viewer, user, operator */
	ACCESS_USER,     /* user (what is his), operator */
	ACCESS_OPERATOR, /* operator */
	ACCESS_AGENT,    /* agent (of that node), operator */
	ACCESS_BUNDLE,   /* everybody with a token: agents fetch bundles too */
};

#define HANDLER(name) void name(struct http_exchange *rq, void *ctx)

HANDLER(handle_ui);
HANDLER(handle_openapi);
HANDLER(handle_whoami);
HANDLER(handle_submit);
HANDLER(handle_jobs);
HANDLER(handle_job);
HANDLER(handle_cancel);
HANDLER(handle_log);
HANDLER(handle_migrate);
HANDLER(handle_migrations);
HANDLER(handle_migration);
HANDLER(handle_cancel_array);
HANDLER(handle_patch_job);
HANDLER(handle_requeue);
HANDLER(handle_job_history);
HANDLER(handle_patch_node);
HANDLER(handle_node_history);
HANDLER(handle_models);
HANDLER(handle_policies);
HANDLER(handle_power_cap);
HANDLER(handle_set_power_cap);
HANDLER(handle_nodes);
HANDLER(handle_node);
HANDLER(handle_energy);
HANDLER(handle_energy_series);
HANDLER(handle_job_energy);
HANDLER(handle_node_meters);
HANDLER(handle_savings);
HANDLER(handle_baseline);
HANDLER(handle_set_baseline);
HANDLER(handle_policy);
HANDLER(handle_set_policy);
HANDLER(handle_put_bundle);
HANDLER(handle_bundles);
HANDLER(handle_get_bundle);
HANDLER(handle_bundle_info);
HANDLER(handle_add_replay);
HANDLER(handle_replays);
HANDLER(handle_replay);
HANDLER(handle_remove_replay);
HANDLER(handle_replay_series);
HANDLER(handle_replay_waits);
HANDLER(handle_replay_csv);
HANDLER(handle_put_trace);
HANDLER(handle_traces);
HANDLER(handle_events);
HANDLER(handle_metrics);
HANDLER(handle_health);
HANDLER(handle_introduce);
HANDLER(handle_desired);
HANDLER(handle_report);
HANDLER(handle_agent_log);

/* The job a path names, under the lock: live, or NULL if it is over; a 404 has been given if false.
 */
bool find_job(struct engine *en, struct http_exchange *rq, struct job_record *rec,
	      struct job **live);
/* The same for one the caller may change; else a 403 has been given. */
bool find_own_job(struct engine *en, struct http_exchange *rq, struct job_record *rec,
		  struct job **live);
/* limit and cursor of a list; a 400 has been given if false. */
bool get_page(struct http_exchange *rq, uint64_t *after, uint64_t *limit);

#endif
