/*
 * Connections that only read: a few, lent to one thread at a time. In WAL mode they
 * neither wait for the writer nor hold it up, and see what was committed last.
 */
#include "scheduler/store/internal.h"

#include <errno.h>

static int open_reader(const struct sqlite_store *s, struct reader *r, struct err *e)
{
	char path[4096];
	int rc = store_path(s, "drover.db", path, sizeof(path), e);

	if (rc)
		return rc;
	if (sqlite3_open_v2(path, &r->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		rc = r->db ? db_error(r->db, e, "opening the database to read")
			   : err_set(e, -ENOMEM, "no memory for the database");
	if (!rc) {
		(void)sqlite3_busy_timeout(r->db, 2000);
		/* Pages are shared through the system's cache; each connection's own stays small.
		 */
		(void)sqlite3_exec(r->db, "PRAGMA mmap_size = 1073741824", NULL, NULL, NULL);
	}
	if (rc) {
		sqlite3_close(r->db);
		r->db = NULL;
	}
	return rc;
}

struct reader *store_reader_get(struct sqlite_store *s, struct err *e)
{
	struct reader *r = NULL;
	int rc = 0;

	pthread_mutex_lock(&s->reader_lock);
	while (!r) {
		for (size_t i = 0; i < ARRAY_SIZE(s->readers) && !r; i++)
			if (!s->readers[i].lent)
				r = &s->readers[i];
		if (!r)
			pthread_cond_wait(&s->reader_back, &s->reader_lock);
	}
	if (!r->db)
		rc = open_reader(s, r, e);
	r->lent = !rc;
	pthread_mutex_unlock(&s->reader_lock);
	return rc ? NULL : r;
}

void store_reader_put(struct sqlite_store *s, struct reader *r)
{
	pthread_mutex_lock(&s->reader_lock);
	r->lent = false;
	pthread_cond_signal(&s->reader_back);
	pthread_mutex_unlock(&s->reader_lock);
}

void store_readers_init(struct sqlite_store *s)
{
	pthread_mutex_init(&s->reader_lock, NULL);
	pthread_cond_init(&s->reader_back, NULL);
}

void store_readers_close(struct sqlite_store *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->readers); i++)
		sqlite3_close(s->readers[i].db);
	pthread_mutex_destroy(&s->reader_lock);
	pthread_cond_destroy(&s->reader_back);
}
