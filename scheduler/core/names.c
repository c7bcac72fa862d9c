#include "scheduler/core/core.h"

const char *const job_state_names[] = {
	"PENDING",   "RUNNING", "MIGRATING", "COMPLETED", "FAILED",
	"CANCELLED", "TIMEOUT", "NODE_FAIL", NULL,
};

const char *const migration_state_names[] = {
	"PREPARING", "SENDING", "LOADED", "COMMITTED", "DONE", "ABORTED", NULL,
};

const char *const node_state_names[] = {
	"unknown", "up", "down", "draining", "drained", "sleeping", "asleep", "waking", NULL,
};

const char *const reason_code_names[] = {
	"None",        "Priority",  "Resources",   "Dependency", "DependencyNeverSatisfied",
	"JobHeldUser", "BeginTime", "NodesWaking", "PowerCap",   "ArrayLimit",
	"NoNode",      NULL,
};

const char *const dependency_type_names[] = {"afterok", "afterany", NULL};

const char *const seen_state_names[] = {
	"starting", "running", "frozen", "waiting", "exited", "lost", "failed", NULL,
};

const char *const seen_migration_names[] = {
	"none",    "prepared", "sending",  "sent",   "loaded",
	"running", "aborted",  "deferred", "failed", NULL,
};

const char *const desired_role_names[] = {"run", "source", "destination", "cancel", NULL};
const char *const desired_phase_names[] = {"none", "prepare", "send", "commit", "abort", NULL};

const struct core_options core_options_default = {
	.heartbeat_ms = 1000,
	.node_unknown_ms = 4000,
	.node_down_ms = 30000,
	.prepare_ms = 20000,
	.send_ms = 60000,
	.sleep_ms = 300000,
	.wake_ms = 600000,
	.backfill = 128,
	.start_ms = 30000,
	.log_ms = 10000,
};

const struct policy_options policy_options_default = {
	.hysteresis = 0.2,
	.cooldown_ms = 8000,
	.settle_ms = 2000,
	.max_in_flight = 2,
	.horizon_s = 60,
	.require_saving = true,
	.max_slowdown = 2, /* what a user may be asked to bear without saying so */
	.sleep_after = 1,
};
