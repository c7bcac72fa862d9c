/*
 * Many agents in one process, against one scheduler: each introduces itself, keeps a
 * long poll for its desired state open, and reports once a heartbeat with a reading of
 * its meter, as drover-agent does. They own no job.
 *
 *	swarm URL AGENTS SECONDS
 *
 * prints {"agents":N,"reports":N,"late":N,"p50_ms":..,"p99_ms":..,"max_ms":..,
 * "polls":N,"failed":N}: a report's time runs from when it was due until it was
 * acknowledged, and it is late if that is longer than the heartbeat.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/compiler.h"

#define AGENTS_MAX 20000
#define SAMPLES    2000000

enum what { INTRODUCE, POLL, REPORT };

struct request {
	struct agent *agent;
	enum what what;
	CURL *curl;
	bool busy;
	char url[256], body[1024], answer[4096];
	size_t len;
};

struct agent {
	unsigned int number;
	struct request poll, report; /* the report's connection introduces too */
	uint64_t revision, due_ns, sent_ms;
	bool known;
};

static struct {
	const char *url;
	struct agent *agents;
	unsigned int n;
	CURLM *multi;
	uint64_t heartbeat_ns, begin_ns;
	struct curl_slist *headers;
	uint64_t reports, late, polls, failed;
	float *samples;
	size_t nsamples;
} swarm;

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	size_t len = size * n;

	if (len > sizeof(r->answer) - 1 - r->len)
		return 0;
	memcpy(r->answer + r->len, data, len);
	r->len += len;
	r->answer[r->len] = '\0';
	return len;
}

static void start(struct request *r, enum what what)
{
	r->what = what;
	r->busy = true;
	r->len = 0;
	r->answer[0] = '\0';
	curl_easy_setopt(r->curl, CURLOPT_URL, r->url);
	curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST,
			 what == INTRODUCE ? "PUT"
			 : what == POLL    ? "GET"
					   : "POST");
	if (what == POLL)
		curl_easy_setopt(r->curl, CURLOPT_HTTPGET, 1L);
	else
		curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, r->body);
	(void)curl_multi_add_handle(swarm.multi, r->curl);
}

static void introduce(struct agent *a)
{
	struct request *r = &a->report;

	(void)snprintf(r->url, sizeof(r->url), "%s/v1/agents/s%05u", swarm.url, a->number);
	(void)snprintf(
		r->body, sizeof(r->body),
		"{\"version\":1,\"instance\":\"i%u\",\"isa\":\"%s\",\"cpus\":8,"
		"\"memory_bytes\":34359738368,\"profile\":\"xeon-e5-1650v2\",\"idle_w\":60.0,"
		"\"core_w\":9.5,\"address\":\"127.0.0.1\",\"software\":\"swarm\",\"meters\":"
		"[{\"name\":\"model\",\"source\":\"model\",\"scope\":\"node\","
		"\"kind\":\"modelled\"}]}",
		a->number, a->number % 2 ? "x86_64" : "aarch64");
	start(r, INTRODUCE);
}

static void poll_desired(struct agent *a)
{
	(void)snprintf(a->poll.url, sizeof(a->poll.url),
		       "%s/v1/agents/s%05u/desired?instance=i%u&revision=%" PRIu64 "&wait_ms=30000",
		       swarm.url, a->number, a->number, a->revision);
	start(&a->poll, POLL);
}

static void report(struct agent *a)
{
	uint64_t now_ms = clock_realtime_ns() / NS_PER_MS, uj = (now_ms - a->sent_ms) * 70000;
	struct request *r = &a->report;

	(void)snprintf(r->url, sizeof(r->url), "%s/v1/agents/s%05u/report", swarm.url, a->number);
	(void)snprintf(r->body, sizeof(r->body),
		       "{\"version\":1,\"instance\":\"i%u\",\"seq\":1,\"revision\":%" PRIu64
		       ",\"load\":{\"cpu_percent\":12.5,\"memory_used_bytes\":1073741824,"
		       "\"running\":0},\"jobs\":[],\"energy\":[{\"meter\":\"model\",\"source\":"
		       "\"model\",\"scope\":\"node\",\"kind\":\"modelled\",\"from_ms\":%" PRIu64
		       ",\"to_ms\":%" PRIu64 ",\"energy_uj\":%" PRIu64 ",\"idle_uj\":%" PRIu64
		       ",\"gap_ms\":0,\"jobs\":{},\"system_uj\":0}]}",
		       a->number, a->revision, a->sent_ms, now_ms, uj, uj);
	a->sent_ms = now_ms;
	start(r, REPORT);
}

static uint64_t number_in(const char *answer, const char *key)
{
	json_t *o = json_loads(answer, 0, NULL);
	uint64_t n = (uint64_t)json_integer_value(json_object_get(o, key));

	json_decref(o);
	return n;
}

static void acknowledged(struct agent *a)
{
	float ms = (float)(clock_monotonic_ns() - a->due_ns) / 1e6f;

	swarm.reports++;
	swarm.late += (double)ms * 1e6 > (double)swarm.heartbeat_ns;
	if (swarm.nsamples < SAMPLES)
		swarm.samples[swarm.nsamples++] = ms;
	a->due_ns += swarm.heartbeat_ns;
}

static void finished(struct request *r, CURLcode code)
{
	struct agent *a = r->agent;
	long status = 0;

	(void)curl_multi_remove_handle(swarm.multi, r->curl);
	(void)curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	r->busy = false;
	if (code != CURLE_OK || status != 200) {
		if (swarm.failed++ < 5)
			fprintf(stderr, "swarm: %s: %s, status %ld: %.200s\n", r->url,
				curl_easy_strerror(code), status, r->answer);
		if (r->what != POLL)
			a->known = false;
		return;
	}
	switch (r->what) {
	case INTRODUCE:
		a->known = true;
		swarm.heartbeat_ns = number_in(r->answer, "heartbeat_ms") * NS_PER_MS;
		/* Agents were not all started at one moment. */
		a->due_ns = clock_monotonic_ns() +
			    swarm.heartbeat_ns * a->number / (swarm.n ? swarm.n : 1);
		a->sent_ms = clock_realtime_ns() / NS_PER_MS;
		break;
	case POLL:
		swarm.polls++;
		a->revision = number_in(r->answer, "revision");
		break;
	case REPORT:
		acknowledged(a);
		break;
	}
}

static void start_what_is_due(void)
{
	uint64_t now = clock_monotonic_ns();

	for (unsigned int i = 0; i < swarm.n; i++) {
		struct agent *a = &swarm.agents[i];

		/* The first second is for introductions. */
		if (!a->known && !a->report.busy && now >= swarm.begin_ns + NS_PER_S * i / swarm.n)
			introduce(a);
		else if (a->known && !a->report.busy && now >= a->due_ns)
			report(a);
		if (a->known && !a->poll.busy)
			poll_desired(a);
	}
}

static CURL *make_handle(struct request *r, struct agent *a)
{
	CURL *h = curl_easy_init();

	r->agent = a;
	r->curl = h;
	curl_easy_setopt(h, CURLOPT_PRIVATE, r);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, swarm.headers);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, 40000L);
	return h;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void run(double seconds)
{
	uint64_t end;

	swarm.begin_ns = clock_monotonic_ns();
	end = swarm.begin_ns + (uint64_t)(seconds * 1e9);
	while (clock_monotonic_ns() < end) {
		CURLMsg *m;
		int left;

		start_what_is_due();
		(void)curl_multi_perform(swarm.multi, &left);
		while ((m = curl_multi_info_read(swarm.multi, &left))) {
			struct request *r;

			if (m->msg != CURLMSG_DONE)
				continue;
			(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r);
			finished(r, m->data.result);
		}
		(void)curl_multi_poll(swarm.multi, NULL, 0, 5, NULL);
	}
}

static void print_result(void)
{
	size_t n = swarm.nsamples;
	unsigned int known = 0;

	for (unsigned int i = 0; i < swarm.n; i++)
		known += swarm.agents[i].known;
	qsort(swarm.samples, n, sizeof(*swarm.samples), by_value);
	printf("{\"agents\":%u,\"known\":%u,\"heartbeat_ms\":%" PRIu64 ",\"reports\":%" PRIu64
	       ",\"late\":%" PRIu64 ",\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f,"
	       "\"polls\":%" PRIu64 ",\"failed\":%" PRIu64 "}\n",
	       swarm.n, known, swarm.heartbeat_ns / NS_PER_MS, swarm.reports, swarm.late,
	       n ? (double)swarm.samples[n / 2] : 0.0,
	       n ? (double)swarm.samples[n * 99 / 100] : 0.0,
	       n ? (double)swarm.samples[n - 1] : 0.0, swarm.polls, swarm.failed);
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > AGENTS_MAX) {
		fprintf(stderr, "usage: swarm URL AGENTS SECONDS\n");
		return 2;
	}
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	swarm.url = argv[1];
	swarm.n = (unsigned int)atoi(argv[2]);
	swarm.multi = curl_multi_init();
	swarm.headers = curl_slist_append(NULL, "Content-Type: application/json");
	swarm.headers = curl_slist_append(swarm.headers, "Expect:");
	swarm.agents = calloc(swarm.n, sizeof(*swarm.agents));
	swarm.samples = calloc(SAMPLES, sizeof(*swarm.samples));
	if (!swarm.multi || !swarm.agents || !swarm.samples)
		return 1;
	curl_multi_setopt(swarm.multi, CURLMOPT_MAXCONNECTS, 2L * (long)swarm.n + 16);
	for (unsigned int i = 0; i < swarm.n; i++) {
		struct agent *a = &swarm.agents[i];

		a->number = i;
		if (!make_handle(&a->poll, a) || !make_handle(&a->report, a))
			return 1;
	}
	run(atof(argv[3]));
	print_result();
	return swarm.failed || swarm.late ? 1 : 0;
}
