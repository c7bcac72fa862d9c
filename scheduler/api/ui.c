/*
 * The dashboard: files of one directory, the same for everybody. What it shows it
 * gets through /v1 with the caller's own token.
 */
#include "scheduler/api/handlers.h"

void handle_ui(struct http_exchange *rq, void *ctx)
{
	const struct engine *en = ctx;
	const char *path = http_param(rq, "path");

	if (!en->dashboard)
		http_reply_problem(rq, 404, "this droverd serves no dashboard",
				   "name its directory by --dashboard");
	else
		http_reply_static(rq, en->dashboard, path ? path : "index.html");
}
