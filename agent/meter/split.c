/* See split.h. */
#include "agent/meter/split.h"

void energy_split(uint64_t energy_uj, uint64_t *idle_uj, const uint64_t *job_cpu_us, size_t n,
		  uint64_t system_cpu_us, uint64_t *job_uj, uint64_t *system_uj)
{
	unsigned __int128 total = system_cpu_us;
	uint64_t dynamic, left;

	if (*idle_uj > energy_uj)
		*idle_uj = energy_uj;
	dynamic = left = energy_uj - *idle_uj;
	for (size_t i = 0; i < n; i++)
		total += job_cpu_us[i];
	for (size_t i = 0; i < n; i++) {
		job_uj[i] =
			total ? (uint64_t)((unsigned __int128)dynamic * job_cpu_us[i] / total) : 0;
		left -= job_uj[i];
	}
	*system_uj = left;
}
