#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"

#define BUNDLE_MAX ((size_t)256 * 1024 * 1024)
#define TRACE_MAX  ((size_t)256 * 1024 * 1024)
#define LOG_MAX    ((size_t)4 * 1024 * 1024)

#define NONE HTTP_BODY_NONE, 0
#define JSON HTTP_BODY_MEMORY, PARSE_BODY_MAX

const struct http_route api_routes[] = {
	{"GET", "/", ACCESS_ANY, NONE, handle_ui},
	{"GET", "/ui/{path...}", ACCESS_ANY, NONE, handle_ui},
	{"POST", "/v1/jobs", ACCESS_USER, JSON, handle_submit},
	{"GET", "/v1/jobs", ACCESS_READ, NONE, handle_jobs},
	{"GET", "/v1/jobs/{id}", ACCESS_READ, NONE, handle_job},
	{"DELETE", "/v1/jobs", ACCESS_USER, NONE, handle_cancel_array},
	{"PATCH", "/v1/jobs/{id}", ACCESS_USER, JSON, handle_patch_job},
	{"POST", "/v1/jobs/{id}/requeue", ACCESS_USER, JSON, handle_requeue},
	{"GET", "/v1/jobs/{id}/history", ACCESS_READ, NONE, handle_job_history},
	{"DELETE", "/v1/jobs/{id}", ACCESS_USER, NONE, handle_cancel},
	{"GET", "/v1/jobs/{id}/log", ACCESS_READ, NONE, handle_log},
	{"POST", "/v1/jobs/{id}/migrate", ACCESS_USER, JSON, handle_migrate},
	{"GET", "/v1/nodes", ACCESS_READ, NONE, handle_nodes},
	{"GET", "/v1/nodes/{name}", ACCESS_READ, NONE, handle_node},
	{"PATCH", "/v1/nodes/{name}", ACCESS_OPERATOR, JSON, handle_patch_node},
	{"GET", "/v1/nodes/{name}/history", ACCESS_READ, NONE, handle_node_history},
	{"GET", "/v1/models", ACCESS_READ, NONE, handle_models},
	{"GET", "/v1/policies", ACCESS_READ, NONE, handle_policies},
	{"GET", "/v1/power-cap", ACCESS_READ, NONE, handle_power_cap},
	{"PUT", "/v1/power-cap", ACCESS_OPERATOR, JSON, handle_set_power_cap},
	{"GET", "/v1/migrations", ACCESS_READ, NONE, handle_migrations},
	{"GET", "/v1/migrations/{id}", ACCESS_READ, NONE, handle_migration},
	{"GET", "/v1/energy", ACCESS_READ, NONE, handle_energy},
	{"GET", "/v1/energy/series", ACCESS_READ, NONE, handle_energy_series},
	{"GET", "/v1/jobs/{id}/energy", ACCESS_READ, NONE, handle_job_energy},
	{"GET", "/v1/nodes/{name}/meters", ACCESS_READ, NONE, handle_node_meters},
	{"GET", "/v1/savings", ACCESS_READ, NONE, handle_savings},
	{"GET", "/v1/savings/baseline", ACCESS_READ, NONE, handle_baseline},
	{"PUT", "/v1/savings/baseline", ACCESS_OPERATOR, JSON, handle_set_baseline},
	{"GET", "/v1/policy", ACCESS_READ, NONE, handle_policy},
	{"PUT", "/v1/policy", ACCESS_OPERATOR, JSON, handle_set_policy},
	{"PUT", "/v1/bundles/{sha}", ACCESS_USER, HTTP_BODY_FILE, BUNDLE_MAX, handle_put_bundle},
	{"GET", "/v1/bundles", ACCESS_READ, NONE, handle_bundles},
	{"GET", "/v1/bundles/{sha}", ACCESS_BUNDLE, NONE, handle_get_bundle},
	{"GET", "/v1/bundles/{sha}/info", ACCESS_READ, NONE, handle_bundle_info},
	{"POST", "/v1/replays", ACCESS_USER, JSON, handle_add_replay},
	{"GET", "/v1/replays", ACCESS_READ, NONE, handle_replays},
	{"GET", "/v1/replays/{id}", ACCESS_READ, NONE, handle_replay},
	{"DELETE", "/v1/replays/{id}", ACCESS_USER, NONE, handle_remove_replay},
	{"GET", "/v1/replays/{id}/series", ACCESS_READ, NONE, handle_replay_series},
	{"GET", "/v1/replays/{id}/waits", ACCESS_READ, NONE, handle_replay_waits},
	{"GET", "/v1/replays/{id}/csv", ACCESS_READ, NONE, handle_replay_csv},
	{"PUT", "/v1/traces/{sha}", ACCESS_USER, HTTP_BODY_FILE, TRACE_MAX, handle_put_trace},
	{"GET", "/v1/traces", ACCESS_READ, NONE, handle_traces},
	{"GET", "/v1/events", ACCESS_READ, NONE, handle_events},
	{"GET", "/v1/whoami", ACCESS_READ, NONE, handle_whoami},
	{"GET", "/v1/openapi.json", ACCESS_ANY, NONE, handle_openapi},
	{"GET", "/metrics", ACCESS_READ, NONE, handle_metrics},
	{"GET", "/healthz", ACCESS_ANY, NONE, handle_health},
	{"PUT", "/v1/agents/{node}", ACCESS_AGENT, JSON, handle_introduce},
	{"GET", "/v1/agents/{node}/desired", ACCESS_AGENT, NONE, handle_desired},
	{"POST", "/v1/agents/{node}/report", ACCESS_AGENT, JSON, handle_report},
	{"POST", "/v1/agents/{node}/jobs/{id}/log", ACCESS_AGENT, HTTP_BODY_MEMORY, LOG_MAX,
	 handle_agent_log},
};
const size_t api_nroutes = ARRAY_SIZE(api_routes);
