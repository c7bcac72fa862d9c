/*
 * droverd: the scheduler's daemon. A thin main over libdroverd.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "common/file.h"
#include "common/http_listen.h"
#include "scheduler/api/handlers.h"
#include "scheduler/options.h"

/* More than cpus: a request that waits for the engine's lock must not hold up all others. */
#define HTTP_THREADS 4

static int write_port(const char *path, uint16_t port, struct err *e)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%" PRIu16 "\n", port);

	return path ? file_write_atomic(path, text, (size_t)n, 0644, e) : 0;
}

/* SIGTERM and SIGINT end it; they are blocked everywhere and waited for here. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int serve(const struct options *o, struct engine *en, struct store *store,
		 const sigset_t *set, struct err *e)
{
	char spool[4096];
	struct http_server_config cfg = {.listen = o->listen,
					 .routes = api_routes,
					 .nroutes = api_nroutes,
					 .ctx = en,
					 .spool_dir = spool,
					 .max_connections = 4096,
					 .threads = HTTP_THREADS};
	struct http_server *http = NULL;
	int r = file_join(spool, sizeof(spool), store_dir(store), "spool"), sig = 0;

	if (r)
		return err_set(e, r, "the state directory's name is too long");
	en->dashboard = o->dashboard[0] ? o->dashboard : NULL;
	r = http_server_start(&http, &cfg, e);
	if (!r)
		r = engine_start(en, http, e);
	if (!r)
		r = write_port(o->port_file, http_server_port(http), e);
	if (!r) {
		log_info("droverd.serves listen=%s port=%" PRIu16 " state=%s", o->listen,
			 http_server_port(http), store_dir(store));
		(void)sigwait(set, &sig);
		log_info("droverd.stops signal=%d", sig);
	}
	engine_stop(en);
	http_server_stop(http);
	return r;
}

static int check_config(const struct options *o, struct err *e)
{
	uint16_t port;
	int fd = http_listen(o->listen, false, &port, e);

	if (fd < 0)
		return fd;
	close(fd);
	printf("droverd: state directory %s, listen %s: ok\n", o->state_dir, o->listen);
	return 0;
}

static int run(const struct options *o, struct err *e)
{
	struct core_options opt = core_options_default;
	struct store *store = NULL;
	struct engine *en = NULL;
	sigset_t set;
	int r;

	if (o->node_timeout_ms) {
		opt.node_down_ms = o->node_timeout_ms;
		if (opt.node_unknown_ms > opt.node_down_ms)
			opt.node_unknown_ms = opt.node_down_ms;
	}
	block_signals(&set);
	r = store_open(&store, o->state_dir, e);
	if (!r)
		r = engine_new(&en, store, &opt, o->policy, e);
	if (!r)
		r = o->check_config ? check_config(o, e) : serve(o, en, store, &set, e);
	engine_free(en);
	store_close(store);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct options o;
	int r = options_parse(&o, argc, argv, &e);

	if (r) {
		err_print("droverd", &e);
		return 2;
	}
	log_init("droverd", o.log_level);
	if (o.help) {
		options_help();
		return 0;
	}
	if (o.version) {
		printf("droverd %s\n", PACKAGE_VERSION);
		return 0;
	}
	r = run(&o, &e);
	if (r)
		err_print("droverd", &e);
	return r ? 1 : 0;
}
