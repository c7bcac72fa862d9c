/*
 * droverd: the scheduler's daemon. A thin main over libdroverd.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/clock.h"
#include "common/http_listen.h"
#include "common/notify.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/power.h"
#include "scheduler/api/replays.h"
#include "scheduler/api/savings.h"
#include "scheduler/options.h"

/* More than cpus: a request that waits for the engine's lock must not hold up all others. */
#define HTTP_THREADS    4
#define CONNECTIONS_MAX 32768
#define FILES_MAX       65536

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

/* A file of the TLS pair, whole; NULL without a name. */
static int read_pem(const char *path, char **out, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	int r;

	*out = NULL;
	if (!path)
		return 0;
	buf_init(&b, 65536);
	r = file_read(path, &b, e);
	if (!r && !(*out = buf_take(&b)))
		r = err_set(e, -ENOMEM, "no memory for %s", path);
	return r;
}

/* Tokens as the options say; needed wherever others than this machine can ask. */
static int set_auth(const struct options *o, const char *state_dir, struct auth *a, struct err *e)
{
	char path[4096];
	bool local;
	int r = http_listen_is_local(o->listen, &local, e);

	if (!r)
		r = file_join(path, sizeof(path), state_dir, "token.key");
	if (!r && o->token_key)
		r = token_key_load(&a->key, o->token_key, e);
	else if (!r)
		r = token_key_load_or_make(&a->key, path, e);
	a->required = o->require_token || !local;
	a->open_energy = o->open_energy;
	return r;
}

/* A scheduler that has not been at work for so long hangs. */
#define HANGS_MS 15000

/* Until a signal comes; meanwhile the service manager hears that the scheduler's thread works. */
static int wait_for_end(const struct engine *en, const sigset_t *set)
{
	uint64_t due = notify_watchdog_ms();
	struct timespec ts;
	int sig;

	for (;;) {
		uint64_t step = due ? due : 3600u * 1000u;

		ts.tv_sec = (time_t)(step / 1000);
		ts.tv_nsec = (long)(step % 1000) * 1000000;
		sig = sigtimedwait(set, NULL, &ts);
		if (sig > 0)
			return sig;
		if (due &&
		    clock_monotonic_ns() - atomic_load(&en->ticked_ns) < HANGS_MS * NS_PER_MS)
			notify_watchdog();
	}
}

static int serve(const struct options *o, struct engine *en, struct store *store,
		 const sigset_t *set, struct err *e)
{
	char spool[4096], status[200];
	struct http_server_config cfg = {.listen = o->listen,
					 .routes = api_routes,
					 .nroutes = api_nroutes,
					 .ctx = en,
					 .spool_dir = spool,
					 .max_connections = CONNECTIONS_MAX,
					 .threads = HTTP_THREADS,
					 .authorize = auth_authorize,
					 .anywhere = true};
	_cleanup_free_ char *cert = NULL, *key = NULL;
	struct http_server *http = NULL;
	int r = file_join(spool, sizeof(spool), store_dir(store), "spool"), sig = 0;

	if (r)
		return err_set(e, r, "the state directory's name is too long");
	en->keep_energy_ms = o->energy_days * 86400000u;
	en->dashboard = o->dashboard[0] ? o->dashboard : NULL;
	r = set_auth(o, store_dir(store), &en->auth, e);
	if (!r)
		r = read_pem(o->tls_cert, &cert, e);
	if (!r)
		r = read_pem(o->tls_key, &key, e);
	cfg.tls_cert = cert;
	cfg.tls_key = key;
	if (!r)
		r = replays_new(&en->replays, en, store_dir(store), e);
	if (!r)
		r = savings_new(&en->savings, en, e);
	if (!r)
		r = http_server_start(&http, &cfg, e);
	if (!r && o->suspend_program) {
		const struct power_config power = {o->suspend_program, o->resume_program,
						   o->suspend_s, o->resume_s};

		r = power_new(&en->power, en, &power, e);
	}
	if (!r)
		r = engine_start(en, http, e);
	if (!r)
		r = write_port(o->port_file, http_server_port(http), e);
	if (!r) {
		log_info("droverd.serves listen=%s port=%" PRIu16 " tls=%s tokens=%s state=%s",
			 o->listen, http_server_port(http), cert ? "yes" : "no",
			 en->auth.required ? "required" : "optional", store_dir(store));
		(void)snprintf(status, sizeof(status), "serving %s, port %" PRIu16, o->listen,
			       http_server_port(http));
		notify_ready(status);
		sig = wait_for_end(en, set);
		notify_stopping();
		log_info("droverd.stops signal=%d", sig);
	}
	engine_stop(en);
	power_free(en->power);
	en->power = NULL;
	http_server_stop(http);
	savings_free(en->savings);
	en->savings = NULL;
	replays_free(en->replays);
	en->replays = NULL;
	token_key_clear(&en->auth.key);
	if (key)
		explicit_bzero(key, strlen(key));
	return r;
}

static int check_config(const struct options *o, struct err *e)
{
	_cleanup_free_ char *cert = NULL, *key = NULL;
	struct auth auth = {.required = false};
	uint16_t port;
	int r = read_pem(o->tls_cert, &cert, e), fd;

	if (!r)
		r = read_pem(o->tls_key, &key, e);
	if (!r)
		r = set_auth(o, o->state_dir, &auth, e);
	token_key_clear(&auth.key);
	if (key)
		explicit_bzero(key, strlen(key));
	if (r)
		return r;
	fd = http_listen(o->listen, o->tls_cert != NULL, &port, e);
	if (fd < 0)
		return fd;
	close(fd);
	printf("droverd: state directory %s, listen %s: ok\n", o->state_dir, o->listen);
	return 0;
}

/* Two connections for each agent: as many files as the system allows. */
static void raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static int run(const struct options *o, struct err *e)
{
	struct core_options opt = core_options_default;
	struct store *store = NULL;
	struct engine *en = NULL;
	sigset_t set;
	int r;

	if (o->timeout_s)
		opt.node_down_ms = o->timeout_s * 1000ull;
	if (o->unknown_s)
		opt.node_unknown_ms = o->unknown_s * 1000ull;
	if (opt.node_unknown_ms > opt.node_down_ms)
		opt.node_unknown_ms = opt.node_down_ms;
	opt.can_sleep = o->suspend_program != NULL;
	/* The program's own time comes first, so that its end is what people are told of. */
	opt.sleep_ms = (o->suspend_s + 5) * 1000ull;
	opt.wake_ms = o->resume_s * 1000ull;
	block_signals(&set);
	raise_file_limit();
	r = store_open(&store, o->state_dir, e);
	if (!r)
		r = engine_new(&en, store, &opt, o->policy, e);
	if (!r)
		r = o->check_config ? check_config(o, e) : serve(o, en, store, &set, e);
	engine_free(en);
	store_close(store);
	return r;
}

static void list_routes(void)
{
	for (size_t i = 0; i < api_nroutes; i++)
		printf("%s %s %s\n", api_routes[i].method, api_routes[i].path,
		       auth_access_name(api_routes[i].access));
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct options o;
	int r = options_parse(&o, argc, argv, &e);

	if (r) {
		if (e.msg[0])
			err_print("droverd", &e);
		options_free(&o);
		return 2;
	}
	log_init("droverd", o.log_level);
	if (o.help)
		options_help();
	else if (o.version)
		printf("droverd %s\n", PACKAGE_VERSION);
	else if (o.list_routes)
		list_routes();
	else
		r = run(&o, &e);
	if (r)
		err_print("droverd", &e);
	options_free(&o);
	return r ? 1 : 0;
}
