/*
 * Meters over any contents of their attributes: the input's pieces (between NULs)
 * become the files of a small sysfs tree, which is opened, read, changed and read
 * again. No reading claims more energy than the limits allow, and idle is a part
 * of it.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/meter/hwmon.h"
#include "agent/meter/meter.h"
#include "agent/meter/powercap.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = {
	"class/powercap/intel-rapl:0/name",
	"class/powercap/intel-rapl:0/energy_uj",
	"class/powercap/intel-rapl:0/max_energy_range_uj",
	"class/powercap/arm-scmi:0/power_uw",
	"class/hwmon/hwmon0/name",
	"class/hwmon/hwmon0/power1_label",
	"class/hwmon/hwmon0/power1_input",
	"class/hwmon/hwmon0/energy1_input",
};
/* Of a second: a sensor may show a megawatt, and there are a few. */
#define MOST_UJ UINT64_C(4000000000000)
#define NFILES  (sizeof(files) / sizeof(files[0]))

static char root[256];

static void drop_root(void)
{
	(void)file_remove_tree(root, NULL);
}

static void make_root(void)
{
	char dir[512];

	/* Some thousand small files: better not on a disk. */
	if (!access("/dev/shm", W_OK))
		(void)setenv("TMPDIR", "/dev/shm", 0);
	if (file_temp_dir("drover-fuzz-meter", root, sizeof(root), NULL))
		abort();
	(void)atexit(drop_root);
	for (size_t i = 0; i < NFILES; i++) {
		(void)snprintf(dir, sizeof(dir), "%s/%s", root, files[i]);
		*strrchr(dir, '/') = '\0';
		if (file_mkdir_p(dir, 0700, NULL))
			abort();
	}
}

/* The next piece becomes the i-th file; without one it is gone. */
static void lay(size_t i, const uint8_t **p, const uint8_t *end)
{
	char path[512];
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", root, files[i]);
	if (*p >= end) {
		(void)unlink(path);
		return;
	}
	len = strnlen((const char *)*p, (size_t)(end - *p));
	f = fopen(path, "w");
	if (!f || fwrite(*p, 1, len, f) != len || fclose(f))
		abort();
	*p += len + 1;
}

static void pure(const uint8_t *data, size_t size)
{
	uint64_t v, again, delta;
	char text[32];

	if (channel_parse_u64((const char *)data, size, &v))
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu64 "\n", v);
	if (channel_parse_u64(text, strlen(text), &again) || again != v)
		abort();
	if (!channel_advance(v, v / 2, v, 1, &delta) && delta > v)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct profile box = {.idle_w = {.value = 10}};
	const uint8_t *p = data, *end = data + size;
	struct meter_config c = {.profile = &box, .sysfs_root = root};
	struct meter *m[4];
	const char *const types[] = {"powercap", "hwmon", "scmi", "powercap-psys"};
	struct meter_input in = {.now_ns = NS_PER_S};
	struct meter_delta d;

	pure(data, size);
	if (!root[0]) {
		log_init("fuzz", LOG_LEVEL_ERROR);
		make_root();
	}
	for (size_t i = 0; i < NFILES; i++)
		lay(i, &p, end);
	for (size_t k = 0; k < 4; k++) {
		m[k] = NULL;
		if (!meter_open(types[k], false, &c, &m[k], NULL))
			(void)meter_read(m[k], &in, &d, NULL);
	}
	in.now_ns += NS_PER_S;
	for (size_t i = 0; i < NFILES && p < end; i++)
		lay(i, &p, end);
	for (size_t k = 0; k < 4; k++) {
		if (!m[k])
			continue;
		if (meter_read(m[k], &in, &d, NULL) == 1 &&
		    (d.idle_uj > d.energy_uj || d.gap_ms > 1000 || d.energy_uj > MOST_UJ))
			abort();
		meter_close(m[k]);
	}
	return 0;
}
