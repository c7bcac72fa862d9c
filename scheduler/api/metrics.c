/*
 * /metrics in the Prometheus text format 0.0.4, base units, no label per job or
 * user; /healthz.
 */
#include <inttypes.h>

#include "common/buf.h"
#include "scheduler/api/handlers.h"

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	(void)buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void jobs(struct buf *b, const struct cluster *c)
{
	uint64_t live[JOB_STATE_COUNT] = {0};

	cluster_each_job(c, j) live[j->state]++;
	head(b, "drover_jobs", "gauge", "Jobs that wait or run, by state.");
	for (int s = 0; s < JOB_COMPLETED; s++)
		(void)buf_printf(b, "drover_jobs{state=\"%s\"} %" PRIu64 "\n", job_state_names[s],
				 live[s]);
	head(b, "drover_jobs_ended_total", "counter", "Jobs that are over, by state.");
	for (int s = JOB_COMPLETED; s < JOB_STATE_COUNT; s++)
		(void)buf_printf(b, "drover_jobs_ended_total{state=\"%s\"} %" PRIu64 "\n",
				 job_state_names[s], c->jobs_ended[s]);
	head(b, "drover_migrations_active", "gauge", "Migrations under way.");
	(void)buf_printf(b, "drover_migrations_active %" PRIu32 "\n", c->nactive);
	head(b, "drover_migrations_total", "counter", "Migrations that ended, by outcome.");
	for (int s = MIG_DONE; s < MIG_STATE_COUNT; s++)
		(void)buf_printf(b, "drover_migrations_total{state=\"%s\"} %" PRIu64 "\n",
				 migration_state_names[s], c->migrations_ended[s]);
}

static void nodes(struct buf *b, const struct cluster *c)
{
	head(b, "drover_node_up", "gauge", "1 while the node's agent is heard of.");
	for (uint32_t i = 0; i < c->nnodes; i++)
		(void)buf_printf(b, "drover_node_up{node=\"%s\",isa=\"%s\",emulated=\"%s\"} %d\n",
				 c->nodes[i]->name, isa_name(c->nodes[i]->isa),
				 c->nodes[i]->emulated ? "true" : "false",
				 c->nodes[i]->state == NODE_UP);
	head(b, "drover_node_cpus", "gauge", "Cpus of the node.");
	for (uint32_t i = 0; i < c->nnodes; i++)
		(void)buf_printf(b, "drover_node_cpus{node=\"%s\"} %" PRIu32 "\n",
				 c->nodes[i]->name, c->nodes[i]->cpus);
	head(b, "drover_node_cpus_claimed", "gauge", "Cpus claimed by jobs.");
	for (uint32_t i = 0; i < c->nnodes; i++)
		(void)buf_printf(b, "drover_node_cpus_claimed{node=\"%s\"} %" PRIu32 "\n",
				 c->nodes[i]->name, c->nodes[i]->used_cpus);
}

static void energy_of_node(const struct energy_total *t, void *arg)
{
	const struct {
		const char *part;
		uint64_t uj;
	} parts[] = {{"idle", t->idle_uj}, {"jobs", t->jobs_uj}, {"system", t->system_uj}};

	for (size_t k = 0; k < ARRAY_SIZE(parts); k++)
		(void)buf_printf(arg,
				 "drover_node_energy_joules_total{node=\"%s\",part=\"%s\","
				 "source=\"%s\",kind=\"%s\"} %.6f\n",
				 t->node, parts[k].part, t->source, t->kind,
				 (double)parts[k].uj / 1e6);
}

void handle_metrics(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	_cleanup_buf_ struct buf b;

	buf_init(&b, (size_t)16 * 1024 * 1024);
	if (engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	jobs(&b, en->cluster);
	nodes(&b, en->cluster);
	head(&b, "drover_node_energy_joules_total", "counter",
	     "Energy of the node, by part and by how it is known.");
	(void)store_energy_totals(en->store, energy_of_node, &b, &e);
	head(&b, "drover_reports_total", "counter", "Reports taken from agents.");
	(void)buf_printf(&b, "drover_reports_total %" PRIu64 "\n", en->reports);
	head(&b, "drover_report_errors_total", "counter", "Reports that could not be read.");
	(void)buf_printf(&b, "drover_report_errors_total %" PRIu64 "\n", en->report_errors);
	head(&b, "drover_scheduler_epoch", "gauge", "Raised at each start of the scheduler.");
	(void)buf_printf(&b, "drover_scheduler_epoch %" PRIu64 "\n", store_epoch(en->store));
	engine_unlock(en);
	http_reply_bytes(rq, 200, "text/plain; version=0.0.4; charset=utf-8", buf_cstr(&b), b.len);
}

void handle_health(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	int r;

	if (engine_lock(en, &e)) {
		http_reply_problem(rq, 503, e.msg, e.hint);
		return;
	}
	r = store_ping(en->store, &e);
	engine_unlock(en);
	if (r)
		http_reply_problem(rq, 503, e.msg, e.hint);
	else
		http_reply_json(rq, 200,
				json_pack("{s:s, s:I}", "status", "ok", "scheduler_epoch",
					  (json_int_t)store_epoch(en->store)));
}
