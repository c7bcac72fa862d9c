#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"

#define BUNDLE_MAX ((size_t)256 * 1024 * 1024)
#define LOG_MAX    ((size_t)4 * 1024 * 1024)

#define NONE HTTP_BODY_NONE, 0
#define JSON HTTP_BODY_MEMORY, PARSE_BODY_MAX

const struct http_route api_routes[] = {
	{"POST", "/v1/jobs", JSON, handle_submit},
	{"GET", "/v1/jobs", NONE, handle_jobs},
	{"GET", "/v1/jobs/{id}", NONE, handle_job},
	{"DELETE", "/v1/jobs/{id}", NONE, handle_cancel},
	{"GET", "/v1/jobs/{id}/log", NONE, handle_log},
	{"POST", "/v1/jobs/{id}/migrate", JSON, handle_migrate},
	{"GET", "/v1/nodes", NONE, handle_nodes},
	{"GET", "/v1/nodes/{name}", NONE, handle_node},
	{"GET", "/v1/migrations", NONE, handle_migrations},
	{"GET", "/v1/migrations/{id}", NONE, handle_migration},
	{"GET", "/v1/energy", NONE, handle_energy},
	{"GET", "/v1/policy", NONE, handle_policy},
	{"PUT", "/v1/policy", JSON, handle_set_policy},
	{"PUT", "/v1/bundles/{sha}", HTTP_BODY_FILE, BUNDLE_MAX, handle_put_bundle},
	{"GET", "/v1/bundles", NONE, handle_bundles},
	{"GET", "/v1/bundles/{sha}", NONE, handle_get_bundle},
	{"GET", "/v1/bundles/{sha}/info", NONE, handle_bundle_info},
	{"GET", "/v1/events", NONE, handle_events},
	{"GET", "/metrics", NONE, handle_metrics},
	{"GET", "/healthz", NONE, handle_health},
	{"PUT", "/v1/agents/{node}", JSON, handle_introduce},
	{"GET", "/v1/agents/{node}/desired", NONE, handle_desired},
	{"POST", "/v1/agents/{node}/report", JSON, handle_report},
	{"POST", "/v1/agents/{node}/jobs/{id}/log", HTTP_BODY_MEMORY, LOG_MAX, handle_agent_log},
};
const size_t api_nroutes = ARRAY_SIZE(api_routes);
