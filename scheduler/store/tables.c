/*
 * The structures of store.h and core/types.h as columns.
 */
#include "scheduler/store/internal.h"

#define J(kind, member)  COLUMN(struct job_record, kind, job.member, #member)
#define JS(kind, member) COLUMN(struct job_record, kind, job.spec.member, #member)
#define M(kind, member)  COLUMN(struct migration_record, kind, m.member, #member)
#define N(kind, member)  COLUMN(struct node, kind, member, #member)
#define B(kind, member)  COLUMN(struct bundle_record, kind, member, #member)

static const struct column job_columns[] = {
	J(COL_U64, id),
	JS(COL_TEXT, name),
	JS(COL_TEXT, user),
	JS(COL_TEXT, bundle),
	JS(COL_TEXTP, launch),
	JS(COL_U32, cpus),
	JS(COL_U32, isas),
	JS(COL_U32, max_restarts),
	JS(COL_U64, memory_bytes),
	JS(COL_U64, time_limit_s),
	JS(COL_U32, priority),
	JS(COL_BOOL, held),
	JS(COL_BOOL, no_requeue),
	JS(COL_U64, begin_ms),
	JS(COL_U64, array),
	JS(COL_U32, array_index),
	JS(COL_U32, array_limit),
	COLUMN(struct job_record, COL_TEXTP, dependencies, "dependencies"),
	J(COL_U32, state),
	J(COL_TEXT, reason),
	J(COL_U32, why),
	J(COL_U32, attempt),
	J(COL_U32, epoch),
	J(COL_U32, restarts),
	J(COL_U32, last_isa),
	J(COL_TEXT, last_node),
	J(COL_BOOL, last_emulated),
	J(COL_U64, aborting),
	J(COL_U32, ending),
	J(COL_U32, exit_code),
	J(COL_U32, signal),
	J(COL_U64, submitted_ms),
	J(COL_U64, started_ms),
	J(COL_U64, ended_ms),
	J(COL_U64, settled_ms),
	J(COL_U32, migrations),
	J(COL_U64, downtime_us),
	J(COL_U64, cpu_us_before),
	J(COL_U64, cpu_us_here),
	J(COL_F64, predicted_j),
	J(COL_U64, segment_ms),
	J(COL_F64, done),
	COLUMN(struct job_record, COL_F64, job.isa_s[ISA_X86_64], "x86_64_s"),
	COLUMN(struct job_record, COL_F64, job.isa_s[ISA_AARCH64], "aarch64_s"),
	J(COL_U64, expected_end_ms),
	COLUMN_APART(struct job_record, COL_U64, energy_uj, "energy_uj"),
	COLUMN_APART(struct job_record, COL_TEXT, energy_kind, "energy_kind"),
};

static const struct column migration_columns[] = {
	M(COL_U64, id),
	M(COL_U64, job),
	M(COL_U32, attempt),
	M(COL_U32, next_epoch),
	COLUMN(struct migration_record, COL_TEXT, from, "from_node"),
	COLUMN(struct migration_record, COL_TEXT, to, "to_node"),
	COLUMN(struct migration_record, COL_U32, from_isa, "from_isa"),
	COLUMN(struct migration_record, COL_U32, to_isa, "to_isa"),
	M(COL_U32, state),
	M(COL_BOOL, manual),
	M(COL_BOOL, resumed),
	M(COL_TEXT, reason),
	M(COL_TEXT, error),
	M(COL_TEXT, note),
	M(COL_TEXT, endpoint),
	M(COL_TEXT, secret),
	M(COL_F64, predicted_j),
	M(COL_F64, stay_j),
	M(COL_F64, go_j),
	M(COL_F64, go_s),
	M(COL_F64, idle_j),
	M(COL_F64, move_w),
	M(COL_U64, requested_ms),
	M(COL_U64, phase_ms),
	M(COL_U64, committed_ms),
	M(COL_U64, ended_ms),
	M(COL_U64, image_bytes),
	M(COL_U64, frames),
	M(COL_U64, save_us),
	M(COL_U64, transfer_us),
	M(COL_U64, load_us),
	M(COL_U64, rebuild_us),
	M(COL_U64, downtime_us),
	M(COL_U64, frozen_ms),
	M(COL_U64, resumed_ms),
	M(COL_U64, frozen_mono_ns),
	M(COL_U64, resumed_mono_ns),
	M(COL_BOOL, downtime_monotonic),
};

static const struct column node_columns[] = {
	N(COL_TEXT, name),         N(COL_TEXT, instance),
	N(COL_TEXT, address),      N(COL_TEXT, profile),
	N(COL_TEXT, emulator),     N(COL_TEXT, software),
	N(COL_TEXTP, meters),      N(COL_U32, isa),
	N(COL_BOOL, emulated),     N(COL_U32, cpus),
	N(COL_U64, memory_bytes),  N(COL_F64, idle_w),
	N(COL_F64, core_w),        N(COL_U32, state),
	N(COL_U64, changed_ms),    N(COL_U32, power),
	N(COL_BOOL, cordoned),     N(COL_BOOL, draining),
	N(COL_TEXT, state_reason), N(COL_BOOL, sleep_capable),
	N(COL_F64, sleep_w),       N(COL_F64, sleep_s),
	N(COL_F64, wake_s),        N(COL_F64, wake_j),
	N(COL_F64, speed),         N(COL_TEXTP, runs),
	N(COL_U64, power_ms),      N(COL_BOOL, failed_wake),
};

static const struct column bundle_columns[] = {
	B(COL_TEXT, sha), B(COL_TEXT, name),      B(COL_U64, size),
	B(COL_U32, isas), B(COL_U64, created_ms),
};

#define TABLE(var, name, cols) const struct table var = {name, cols, ARRAY_SIZE(cols)}

TABLE(table_jobs, "jobs", job_columns);
TABLE(table_migrations, "migrations", migration_columns);
TABLE(table_nodes, "nodes", node_columns);
TABLE(table_bundles, "bundles", bundle_columns);
