/*
 * Who used how much of a meter's energy: pure integer arithmetic.
 *
 * Over an interval: energy = idle + system + sum of jobs, exactly. The dynamic
 * part (energy - idle) is shared by CPU time; what integer division leaves over
 * goes to the system, so that no job is charged for rounding.
 */
#ifndef DROVER_AGENT_METER_SPLIT_H
#define DROVER_AGENT_METER_SPLIT_H

#include <stddef.h>
#include <stdint.h>

/*
 * energy_uj, idle_uj: of the interval; idle_uj is lowered to energy_uj if above.
 * job_cpu_us[n]: CPU time of each job; system_cpu_us: of everything else.
 * Fills job_uj[n], *idle_uj and *system_uj. Without any CPU time all dynamic
 * energy is the system's.
 */
void energy_split(uint64_t energy_uj, uint64_t *idle_uj, const uint64_t *job_cpu_us, size_t n,
		  uint64_t system_cpu_us, uint64_t *job_uj, uint64_t *system_uj);

#endif
