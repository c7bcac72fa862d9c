/* Machine profiles that tests of the replay and of the shadow compute with by hand: a directory of
 * them for profile_load(). */
#ifndef DROVER_TESTS_REPLAY_PROFILES_H
#define DROVER_TESTS_REPLAY_PROFILES_H

#include <stdio.h>
#include <stdlib.h>

#include "common/file.h"

/* Two cores, 10 W idle, 5 W a busy core; asleep 1 W, 2 s to sleep, 4 s and 60 J to wake. */
#define VALUE(name, v) "\"" name "\":{\"value\":" v ",\"kind\":\"assumed\",\"source\":\"test\"},"
static const char flat[] =
	"{\"version\":1,\"name\":\"flat\",\"title\":\"Flat\",\"isa\":\"x86_64\",\"cores\":2,"
	"\"process_nm\":20," VALUE("idle_w", "10") VALUE("core_w", "5") VALUE("peak_w", "20")
		VALUE("sleep_w", "1") VALUE("sleep_s", "2") VALUE("wake_s", "4")
			VALUE("wake_j", "60") "\"ghz\":1}";
/* The other ISA, four cores, made in a coarser process. */
static const char slow[] =
	"{\"version\":1,\"name\":\"slow\",\"title\":\"Slow\",\"isa\":\"aarch64\",\"cores\":4,"
	"\"process_nm\":40," VALUE("idle_w", "4") VALUE("core_w", "2")
		VALUE("peak_w", "12") "\"ghz\":1}";
static char profiles_dir[512];

static inline int profiles_setup(void **state)
{
	struct err e = ERR_INIT;
	char path[600];

	(void)state;
	if (file_temp_dir("drover-replay", profiles_dir, sizeof(profiles_dir), &e))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/flat.json", profiles_dir);
	if (file_write_atomic(path, flat, sizeof(flat) - 1, 0600, &e))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/slow.json", profiles_dir);
	if (file_write_atomic(path, slow, sizeof(slow) - 1, 0600, &e))
		return -1;
	return setenv("DROVER_PROFILES", profiles_dir, 1);
}

static inline int profiles_teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return file_remove_tree(profiles_dir, &e);
}

#endif
