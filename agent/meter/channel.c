/* See channel.h. */
#include "agent/meter/channel.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

/* No package draws more; a gap long enough to wrap at this power may hide a wrap. */
#define CHANNEL_MAX_W 2000
/* Counters move in steps, at most this far. */
#define COUNTER_SLACK_UJ 1000000

/* More than any machine draws: such a reading is a broken sensor's. */
#define SENSOR_MAX_UW 1000000000000u

int channel_parse_u64(const char *text, size_t len, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	if (!len || len > 20)
		return -EINVAL;
	for (; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v))
			return -EINVAL;
	}
	*out = v;
	return 0;
}

int channel_advance(uint64_t last_uj, uint64_t now_uj, uint64_t range_uj, uint64_t elapsed_ns,
		    uint64_t *delta_uj)
{
	unsigned __int128 most = (unsigned __int128)elapsed_ns * CHANNEL_MAX_W / 1000;
	uint64_t delta;

	/* Long enough to have wrapped unseen: the difference could be anything. */
	if (range_uj && most > range_uj)
		return -ERANGE;
	if (now_uj >= last_uj)
		delta = now_uj - last_uj;
	else if (last_uj <= range_uj)
		delta = range_uj - last_uj + now_uj;
	else
		return -ERANGE;
	/* A counter that began anew (after a suspend, a reloaded driver) looks like one that
	 * wrapped. */
	if (delta > most + COUNTER_SLACK_UJ)
		return -ERANGE;
	*delta_uj = delta;
	return 0;
}

uint64_t channel_integrate(uint64_t last_uw, uint64_t now_uw, uint64_t elapsed_ns, uint64_t cap_ns,
			   uint64_t *rem, uint64_t *gap_ns)
{
	uint64_t taken = elapsed_ns < cap_ns ? elapsed_ns : cap_ns;
	/* The mean of two powers is a half of a microwatt at the finest: twice all, halved last. */
	unsigned __int128 twice = ((unsigned __int128)last_uw + now_uw) * taken + 2 * *rem;
	uint64_t uj = (uint64_t)(twice / (2 * NS_PER_S));

	*rem = (uint64_t)(twice % (2 * NS_PER_S)) / 2;
	*gap_ns = elapsed_ns - taken;
	return uj;
}

/* ---- sysfs -------------------------------------------------------------- */

static int text_of(const char *path, char *out, size_t size, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	int rc;

	buf_init(&b, 4096);
	rc = file_read(path, &b, e);
	if (rc == -EACCES || rc == -EPERM)
		err_hint(e,
			 "give drover-agent the capability CAP_DAC_READ_SEARCH (its systemd unit "
			 "does; else setcap cap_dac_read_search+ep) or run it as root; leave the "
			 "file's mode alone; --meter model needs none");
	if (rc)
		return rc;
	(void)snprintf(out, size, "%s", buf_cstr(&b));
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

int sysfs_text(const char *dir, const char *file, char *out, size_t size, struct err *e)
{
	char path[640];

	if (file_join(path, sizeof(path), dir, file))
		return err_set(e, -ENAMETOOLONG, "%s: the name is too long", dir);
	return text_of(path, out, size, e);
}

int sysfs_number(const char *path, uint64_t *out, struct err *e)
{
	char text[64];
	int rc = text_of(path, text, sizeof(text), e);

	if (rc)
		return rc;
	if (channel_parse_u64(text, strlen(text), out))
		return err_set(e, -EINVAL, "%s: '%s' is not a number", path, text);
	return 0;
}

int sysfs_u64(const char *dir, const char *file, uint64_t *out, struct err *e)
{
	char path[640];

	if (file_join(path, sizeof(path), dir, file))
		return err_set(e, -ENAMETOOLONG, "%s: the name is too long", dir);
	return sysfs_number(path, out, e);
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

int sysfs_list(const char *dir, char ***names, struct err *e)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, not_hidden, versionsort);
	char **v;

	if (n < 0)
		return err_sys(e, -errno, "cannot list %s", dir);
	v = calloc((size_t)n + 1, sizeof(*v));
	for (int i = 0; i < n; i++) {
		if (v)
			v[i] = strdup(list[i]->d_name);
		free(list[i]);
	}
	free(list);
	for (int i = 0; v && i < n; i++)
		if (!v[i]) {
			sysfs_list_free(v);
			v = NULL;
		}
	if (!v)
		return err_set(e, -ENOMEM, "out of memory");
	*names = v;
	return n;
}

void sysfs_list_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

/* ---- channels ----------------------------------------------------------- */

bool channels_add(struct channels *c, const struct channel *one)
{
	if (c->n == CHANNELS_MAX) {
		log_warn("meter.channel-ignored path=%s reason=\"more than %d\"", one->path,
			 CHANNELS_MAX);
		return false;
	}
	c->v[c->n++] = *one;
	return true;
}

int channels_check(const struct channels *c, struct err *e)
{
	uint64_t v;

	for (size_t i = 0; i < c->n; i++) {
		int rc = sysfs_number(c->v[i].path, &v, e);

		if (rc)
			return rc;
	}
	return 0;
}

static int read_one(struct channel *ch, uint64_t *v, struct err *e)
{
	struct err own = ERR_INIT;
	int rc;

	e = e ? e : &own;
	rc = sysfs_number(ch->path, v, e);

	if (!rc && ch->power && *v > SENSOR_MAX_UW)
		rc = err_set(e, -ERANGE, "%s: no machine draws %llu uW", ch->path,
			     (unsigned long long)*v);
	if (rc && !ch->lost)
		log_warn("meter.channel-lost path=%s reason=\"%s\"", ch->path, e->msg);
	if (!rc && ch->lost)
		log_info("meter.channel-back path=%s", ch->path);
	ch->lost = rc != 0;
	return rc;
}

/* Adds one channel's energy to *uj. Returns for how much of the interval it is not known, in ns. */
static uint64_t advance(struct channel *ch, uint64_t now_ns, uint64_t elapsed, uint64_t cap_ns,
			uint64_t *uj, struct err *e)
{
	uint64_t v = 0, delta = 0, gap = elapsed;

	if (read_one(ch, &v, e)) {
		ch->last_ns = 0;
		return gap;
	}
	if (ch->last_ns && ch->power)
		delta = channel_integrate(ch->last, v, now_ns - ch->last_ns, cap_ns, &ch->rem,
					  &gap);
	else if (ch->last_ns &&
		 !channel_advance(ch->last, v, ch->range_uj, now_ns - ch->last_ns, &delta))
		gap = 0;
	ch->last = v;
	ch->last_ns = now_ns;
	*uj += delta;
	return gap;
}

void channels_forget(struct channels *c)
{
	for (size_t i = 0; i < c->n; i++)
		c->v[i].last_ns = 0;
}

int channels_read(struct channels *c, uint64_t now_ns, uint64_t *energy_uj, uint64_t *gap_ms,
		  struct err *e)
{
	bool first = c->last_ns == 0;
	uint64_t elapsed = first ? 0 : now_ns - c->last_ns, gap = 0;
	size_t readable = 0;

	*energy_uj = 0;
	for (size_t i = 0; i < c->n; i++) {
		uint64_t own = advance(&c->v[i], now_ns, elapsed, c->cap_ns, energy_uj, e);

		gap = own > gap ? own : gap;
		readable += !c->v[i].lost;
	}
	c->last_ns = now_ns;
	*gap_ms = (gap + NS_PER_MS - 1) / NS_PER_MS;
	if (first)
		return readable ? 0 : -ENODATA;
	return 1;
}
