/*
 * Clients that submit jobs over keep-alive connections as fast as they are
 * acknowledged, each under an Idempotency-Key of its own, which is also its name.
 *
 *	submitters run PORT BUNDLE CLIENTS CONNECTIONS SECONDS [PREFIX ACKS]
 *		submits; prints {"acknowledged":N,"seconds":S,"rate":R,"p50_ms":..,"p99_ms":..}.
 *		ACKS receives a line "KEY ID" for each acknowledgement. Ends early, with
 *		status 0, when the server goes away.
 *	submitters limit DIR BATCH SECONDS
 *		what SQLite alone can do on that file system: transactions of BATCH rows of a
 *		job's size, each on the disk; prints {"commits":N,"rows":N,"rate":R}.
 *	submitters lock STATE_DIR SECONDS
 *		keeps the database of a scheduler locked, as another program may.
 *	submitters fill STATE_DIR N
 *		puts N finished jobs into the database of a scheduler that does not run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/compiler.h"

#define CLIENTS_MAX 64
#define CONNS_MAX   64
#define LATENCIES   200000

struct conn {
	int fd;
	char in[16384];
	size_t len;
	char key[96];
	uint64_t sent_ns;
};

struct client {
	pthread_t thread;
	unsigned int number, nconns;
	uint64_t sequence, acknowledged, refused;
	struct conn conns[CONNS_MAX];
	float *latency_ms;
	size_t nlatency;
};

static struct {
	uint16_t port;
	const char *bundle, *prefix;
	FILE *acks;
	uint64_t end_ns;
	atomic_bool gone; /* the server */
} run;

static int dial(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(run.port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static bool submit(struct client *c, struct conn *k)
{
	char body[256], text[768];
	int n, len;

	(void)snprintf(k->key, sizeof(k->key), "%s-%u-%" PRIu64, run.prefix, c->number,
		       c->sequence++);
	n = snprintf(body, sizeof(body), "{\"bundle\":\"%s\",\"name\":\"%s\"}", run.bundle, k->key);
	len = snprintf(text, sizeof(text),
		       "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: %s\r\n"
		       "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		       k->key, n, body);
	k->len = 0;
	k->sent_ns = clock_monotonic_ns();
	return send(k->fd, text, (size_t)len, MSG_NOSIGNAL) == len;
}

/* 1: a whole answer is there; 0: not yet; -1: the connection is over. */
static int receive(struct conn *k)
{
	ssize_t n = recv(k->fd, k->in + k->len, sizeof(k->in) - 1 - k->len, 0);
	const char *end, *length;

	if (n <= 0)
		return -1;
	k->len += (size_t)n;
	k->in[k->len] = '\0';
	end = strstr(k->in, "\r\n\r\n");
	length = strcasestr(k->in, "\r\ncontent-length:");
	if (!end || !length)
		return k->len == sizeof(k->in) - 1 ? -1 : 0;
	return k->len >= (size_t)(end + 4 - k->in) + strtoul(length + 17, NULL, 10);
}

static void acknowledged(struct client *c, const struct conn *k)
{
	const char *id = strstr(k->in, "\"id\":\"");

	if (strncmp(k->in, "HTTP/1.1 201", 12) != 0 || !id) {
		c->refused++;
		return;
	}
	if (run.acks) /* one write: whole lines, also of several threads */
		fprintf(run.acks, "%s %.*s\n", k->key, (int)strcspn(id + 6, "\""), id + 6);
	c->acknowledged++;
	if (c->nlatency < LATENCIES)
		c->latency_ms[c->nlatency++] = (float)(clock_monotonic_ns() - k->sent_ns) / 1e6f;
}

static void *client_main(void *arg)
{
	struct client *c = arg;
	struct pollfd p[CONNS_MAX];

	for (unsigned int i = 0; i < c->nconns; i++) {
		c->conns[i].fd = dial();
		p[i] = (struct pollfd){.fd = c->conns[i].fd, .events = POLLIN};
		if (p[i].fd < 0 || !submit(c, &c->conns[i]))
			atomic_store(&run.gone, true);
	}
	while (!atomic_load(&run.gone) && clock_monotonic_ns() < run.end_ns) {
		if (poll(p, c->nconns, 100) <= 0)
			continue;
		for (unsigned int i = 0; i < c->nconns; i++) {
			struct conn *k = &c->conns[i];
			int r = p[i].revents ? receive(k) : 0;

			if (r > 0)
				acknowledged(c, k);
			if (r < 0 || (r > 0 && !submit(c, k)))
				atomic_store(&run.gone, true);
		}
	}
	for (unsigned int i = 0; i < c->nconns; i++)
		if (c->conns[i].fd >= 0)
			close(c->conns[i].fd);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void report(struct client *clients, unsigned int n, double seconds)
{
	uint64_t total = 0, refused = 0;
	size_t count = 0;
	float *all = calloc((size_t)n * LATENCIES, sizeof(*all));

	if (!all)
		return;
	for (unsigned int i = 0; i < n; i++) {
		total += clients[i].acknowledged;
		refused += clients[i].refused;
		memcpy(all + count, clients[i].latency_ms, clients[i].nlatency * sizeof(*all));
		count += clients[i].nlatency;
	}
	qsort(all, count, sizeof(*all), by_value);
	printf("{\"acknowledged\":%" PRIu64 ",\"refused\":%" PRIu64
	       ",\"seconds\":%.3f,\"rate\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n",
	       total, refused, seconds, (double)total / seconds,
	       count ? (double)all[count / 2] : 0.0, count ? (double)all[count * 99 / 100] : 0.0);
	free(all);
}

static int run_clients(char **argv, int argc)
{
	unsigned int n = (unsigned int)atoi(argv[4]), conns = (unsigned int)atoi(argv[5]);
	struct client *clients = calloc(CLIENTS_MAX, sizeof(*clients));
	uint64_t start = clock_monotonic_ns();

	if (!clients || !n || n > CLIENTS_MAX || !conns || conns > CONNS_MAX)
		return 2;
	run.port = (uint16_t)atoi(argv[2]);
	run.bundle = argv[3];
	run.end_ns = start + (uint64_t)(atof(argv[6]) * 1e9);
	run.prefix = argc > 7 ? argv[7] : "s";
	run.acks = argc > 8 ? fopen(argv[8], "we") : NULL;
	if (argc > 8 && !run.acks)
		return 2;
	for (unsigned int i = 0; i < n; i++) {
		clients[i].number = i;
		clients[i].nconns = conns;
		clients[i].latency_ms = calloc(LATENCIES, sizeof(float));
		if (!clients[i].latency_ms ||
		    pthread_create(&clients[i].thread, NULL, client_main, &clients[i]))
			return 2;
	}
	for (unsigned int i = 0; i < n; i++)
		pthread_join(clients[i].thread, NULL);
	if (run.acks)
		fclose(run.acks);
	report(clients, n, (double)(clock_monotonic_ns() - start) / 1e9);
	for (unsigned int i = 0; i < n; i++)
		free(clients[i].latency_ms);
	free(clients);
	return 0;
}

static int limit(const char *dir, unsigned int batch, double seconds)
{
	char path[4096], payload[600];
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	uint64_t commits = 0, start, end;
	int r;

	(void)snprintf(path, sizeof(path), "%s/limit.db", dir);
	memset(payload, 'x', sizeof(payload));
	r = sqlite3_open(path, &db);
	if (r == SQLITE_OK)
		r = sqlite3_exec(db,
				 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
				 "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)",
				 NULL, NULL, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_prepare_v2(db, "INSERT INTO t (v) VALUES (?)", -1, &st, NULL);
	/* The first second only makes the log's file as long as it stays. */
	start = clock_monotonic_ns() + NS_PER_S;
	end = start + (uint64_t)(seconds * 1e9);
	for (; r == SQLITE_OK && clock_monotonic_ns() < end; commits++) {
		if (clock_monotonic_ns() < start)
			commits = 0;
		r = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		for (unsigned int i = 0; r == SQLITE_OK && i < batch; i++) {
			(void)sqlite3_bind_text(st, 1, payload, sizeof(payload), SQLITE_STATIC);
			r = sqlite3_step(st) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
			(void)sqlite3_reset(st);
		}
		if (r == SQLITE_OK)
			r = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	}
	if (r != SQLITE_OK)
		fprintf(stderr, "submitters: %s: %s\n", path, sqlite3_errmsg(db));
	seconds = (double)(clock_monotonic_ns() - start) / 1e9;
	printf("{\"commits\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"rate\":%.1f}\n", commits,
	       commits * batch, (double)(commits * batch) / seconds);
	sqlite3_finalize(st);
	sqlite3_close(db);
	(void)unlink(path);
	return r == SQLITE_OK ? 0 : 1;
}

/* Jobs of 50 users with 200 names on 20 nodes; one in a thousand failed. */
static int fill(const char *dir, uint64_t n)
{
	char path[4096], sql[2048], *why = NULL;
	sqlite3 *db = NULL;
	int r;

	(void)snprintf(path, sizeof(path), "%s/drover.db", dir);
	(void)snprintf(
		sql, sizeof(sql),
		"BEGIN; WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < "
		"%" PRIu64 ") INSERT INTO jobs (id, name, user, bundle, launch, cpus, isas, state, "
		"reason, attempt,"
		" epoch, last_isa, last_node, submitted_ms, started_ms, ended_ms, energy_uj, "
		"energy_kind)"
		" SELECT i, 'is.' || (i * 7919 %% 200), 'user' || (i * 104729 %% 50),"
		" '0000000000000000000000000000000000000000000000000000000000000000',"
		" '{\"args\":[\"S\"],\"env\":{},\"stdin\":null}', 1, 3,"
		" CASE WHEN i %% 1000 = 7 THEN 4 ELSE 3 END, 'exit status 0', 1, 1, i %% 2,"
		" 'node' || (i * 31 %% 20), 1700000000000 + i * 50, 1700000000000 + i * 50 + 900,"
		" 1700000000000 + i * 50 + 4000, i * 13, 'modelled' FROM c; COMMIT",
		n);
	r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF", NULL,
				 NULL, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_exec(db, sql, NULL, NULL, &why);
	if (r != SQLITE_OK)
		fprintf(stderr, "submitters: %s: %s\n", path, why ? why : sqlite3_errmsg(db));
	sqlite3_free(why);
	sqlite3_close(db);
	return r == SQLITE_OK ? 0 : 1;
}

static int lock(const char *dir, double seconds)
{
	char path[4096];
	sqlite3 *db = NULL;
	int r;

	(void)snprintf(path, sizeof(path), "%s/drover.db", dir);
	r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	if (r == SQLITE_OK)
		(void)sqlite3_busy_timeout(db, 5000);
	if (r == SQLITE_OK)
		r = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	puts(r == SQLITE_OK ? "locked" : sqlite3_errmsg(db));
	(void)fflush(stdout);
	if (r == SQLITE_OK)
		(void)usleep((useconds_t)(seconds * 1e6));
	sqlite3_close(db);
	return r == SQLITE_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc >= 7 && !strcmp(argv[1], "run"))
		return run_clients(argv, argc);
	if (argc == 5 && !strcmp(argv[1], "limit"))
		return limit(argv[2], (unsigned int)atoi(argv[3]), atof(argv[4]));
	if (argc == 4 && !strcmp(argv[1], "lock"))
		return lock(argv[2], atof(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "fill"))
		return fill(argv[2], strtoull(argv[3], NULL, 10));
	fprintf(stderr,
		"usage: submitters run PORT BUNDLE CLIENTS CONNECTIONS SECONDS [PREFIX ACKS]\n"
		"       submitters limit DIR BATCH SECONDS\n"
		"       submitters lock STATE_DIR SECONDS\n"
		"       submitters fill STATE_DIR N\n");
	return 2;
}
