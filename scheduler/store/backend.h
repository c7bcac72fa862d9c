/*
 * What a back end of the store provides: one function for each of store.h, where
 * each is described. A back end is one table of these; tests/unit/test_sched_store*
 * are its conformance tests (DROVER_STORE=NAME names the one to be tested).
 */
#ifndef DROVER_SCHEDULER_STORE_BACKEND_H
#define DROVER_SCHEDULER_STORE_BACKEND_H

#include "scheduler/store/store.h"

/* A back end's own structure begins with this. */
struct store {
	const struct store_backend *backend;
};

struct store_backend {
	const char *name;
	/* Sets (*out)->backend. */
	int (*open)(struct store **out, const char *state_dir, struct err *e);
	void (*close)(struct store *s);
	uint64_t (*epoch)(const struct store *s);
	const char *(*dir)(const struct store *s);
	int (*ping)(struct store *s, struct err *e);
	int (*begin)(struct store *s, struct err *e);
	int (*commit)(struct store *s, struct err *e);
	void (*rollback)(struct store *s);
	int (*load)(struct store *s, struct cluster *c, uint64_t now_ms, struct err *e);
	int (*apply)(struct store *s, const struct effects *fx, struct err *e);
	int (*job)(struct store *s, uint64_t id, struct job_record *out, struct err *e);
	int (*migration)(struct store *s, uint64_t id, struct migration_record *out, struct err *e);
	bool (*has_handed_on)(struct store *s, uint64_t job, uint32_t attempt, const char *node);
	int (*jobs)(struct store *s, const struct job_filter *f,
		    void (*fn)(struct job_record *r, void *arg), void *arg, struct job_cursor *next,
		    struct err *e);
	int (*count_jobs)(struct store *s, const struct job_filter *f, uint64_t *n, struct err *e);
	int (*migrations)(struct store *s, uint64_t job, bool newest, uint64_t after,
			  unsigned int limit, void (*fn)(struct migration_record *r, void *arg),
			  void *arg, struct err *e);
	int (*segments)(struct store *s, uint64_t job,
			void (*fn)(const struct segment_record *r, void *arg), void *arg,
			struct err *e);
	int (*decisions)(struct store *s, uint64_t job,
			 void (*fn)(const struct decision_record *r, void *arg), void *arg,
			 struct err *e);
	int (*changes)(struct store *s, const char *node, bool newest, uint64_t after,
		       unsigned int limit, void (*fn)(const struct change_record *r, void *arg),
		       void *arg, struct err *e);
	int (*setting)(struct store *s, const char *key, char **out, struct err *e);
	int (*set_setting)(struct store *s, const char *key, const char *value, struct err *e);
	int (*idempotency)(struct store *s, const char *key, uint64_t *job,
			   char digest[CORE_SHA_SIZE], struct err *e);
	int (*add_idempotency)(struct store *s, const char *key, uint64_t job, const char *digest,
			       uint64_t now_ms, struct err *e);
	int (*forget_keys)(struct store *s, uint64_t before_ms, struct err *e);
	int (*add_energy)(struct store *s, const struct energy_interval *i, struct err *e);
	int (*fill_energy)(struct store *s, const struct energy_interval *i, struct err *e);
	int (*energy)(struct store *s, uint64_t from_ms, uint64_t to_ms,
		      void (*fn)(const struct energy_interval *i, void *arg), void *arg,
		      struct err *e);
	int (*job_energy)(struct store *s, uint64_t job,
			  void (*fn)(const struct energy_interval *i, uint32_t attempt,
				     uint64_t energy_uj, uint64_t idle_uj, void *arg),
			  void *arg, struct err *e);
	int (*age_energy)(struct store *s, uint64_t now_ms, uint64_t keep_ms, bool *more,
			  struct err *e);
	int (*energy_totals)(struct store *s, void (*fn)(const struct energy_total *t, void *arg),
			     void *arg, struct err *e);
	int (*add_bundle)(struct store *s, const struct bundle_record *b, int fd, struct err *e);
	int (*bundle)(struct store *s, const char *sha, struct bundle_record *out, struct err *e);
	int (*bundles)(struct store *s, void (*fn)(const struct bundle_record *b, void *arg),
		       void *arg, struct err *e);
	int (*open_bundle)(struct store *s, const char *sha, struct err *e);
	uint64_t (*log_size)(struct store *s, uint64_t job, uint32_t attempt);
	int (*append_log)(struct store *s, uint64_t job, uint32_t attempt, uint64_t offset,
			  const void *data, size_t len, uint64_t *held, struct err *e);
	int (*open_log)(struct store *s, uint64_t job, uint32_t attempt);
};

extern const struct store_backend store_sqlite;

/* NULL if there is none of that name. */
const struct store_backend *store_backend_find(const char *name);
int store_open_with(const struct store_backend *backend, struct store **out, const char *state_dir,
		    struct err *e);

#endif
