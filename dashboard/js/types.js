/**
 * The shapes of the API as this page reads them (docs/formats/rest.md). Fields it does not read are left out.
 *
 * @typedef {"measured"|"integrated"|"modelled"|"mixed"} Kind
 *
 * @typedef {Object} Job
 * @property {string} id
 * @property {string} name
 * @property {string} user
 * @property {string} bundle
 * @property {string[]} args
 * @property {number} cpus
 * @property {number} memory_bytes
 * @property {number} time_limit_s
 * @property {string[]} isas
 * @property {string} state
 * @property {string} reason
 * @property {string=} reason_code
 * @property {string|null} node
 * @property {string|null} isa
 * @property {boolean} emulated
 * @property {boolean=} held
 * @property {number=} priority
 * @property {{id: string, index: number}|null=} array
 * @property {number} attempt
 * @property {number} restarts
 * @property {number} max_restarts
 * @property {number|null} exit_code
 * @property {number|null} signal
 * @property {number|null} submitted_ms
 * @property {number|null} started_ms
 * @property {number|null} ended_ms
 * @property {number} migrations
 * @property {number} downtime_us
 * @property {number} cpu_us
 * @property {string|null} migration
 * @property {number=} energy_uj
 * @property {Kind|null=} energy_kind
 * @property {number|null=} predicted_j
 * @property {number|null=} expected_end_ms
 *
 * @typedef {Object} ClusterNode
 * @property {string} name
 * @property {string} isa
 * @property {boolean} emulated
 * @property {string|null} emulator
 * @property {string} state
 * @property {boolean=} cordoned
 * @property {string=} state_reason
 * @property {boolean=} sleep_capable
 * @property {number} cpus
 * @property {number} used_cpus
 * @property {number} memory_bytes
 * @property {number} memory_used_bytes
 * @property {number} jobs
 * @property {number} cpu_percent
 * @property {string|null} profile
 * @property {number} idle_w
 * @property {number} core_w
 * @property {number} power_w
 * @property {Kind} power_kind
 * @property {Object[]} meters
 * @property {number} since_ms
 * @property {number} silent_ms
 *
 * @typedef {Object} Migration
 * @property {string} id
 * @property {string} job
 * @property {string} from
 * @property {string} to
 * @property {string} from_isa
 * @property {string} to_isa
 * @property {string} state
 * @property {string} reason
 * @property {string|null} error
 * @property {string|null} deferred
 * @property {number} requested_ms
 * @property {number|null} ended_ms
 * @property {number} image_bytes
 * @property {number} downtime_us
 * @property {boolean} manual
 * @property {number} predicted_saving_j
 *
 * @typedef {Object} Segment
 * @property {number} attempt
 * @property {string} node
 * @property {string} isa
 * @property {boolean} emulated
 * @property {number} from_ms
 * @property {number|null} to_ms
 * @property {number} cpu_us
 * @property {number} energy_uj
 * @property {Kind|null} energy_kind
 * @property {number|null} predicted_j
 * @property {string} outcome
 *
 * @typedef {Object} Problem
 * @property {number} status
 * @property {string} title
 * @property {string} detail
 * @property {string=} hint
 * @property {{field: string, detail: string}[]=} errors
 */
export {};
