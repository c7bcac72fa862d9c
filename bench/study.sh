# tools/bench study; sourced by it.
# summary: joules and makespan of every policy on sets that no constant was chosen by: other seeds, shapes, traces
#
# Usage: tools/bench study [TRACE]... The study's sets with the seeds 1001 to 1100, then seeded sets of
# other shapes (short and long waves, wide jobs, one kernel alone, four racks of them) and traces given as files, on clusters
# of both ISAs. Means over the seeds of a shape; all modelled in virtual time.
need drover drover-waves
drover=$build/drover
sets=1001-1100
rack=$work/study-rack.json
echo '{"name":"rack","nodes":[{"profile":"xeon-e5-1650-v2","name":"xeon","count":4},{"profile":"x-gene-1","name":"xgene","count":4}]}' >"$rack"
modern=$work/study-modern.json
echo '{"name":"modern","nodes":[{"profile":"epyc-7763","name":"x86","count":8,"cores":128},{"profile":"altra-q80-30","name":"arm","count":8,"cores":128}]}' >"$modern"

rows=
row() { # SHAPE CLUSTER POLICY KJ MAKESPAN WAIT
	say "$(printf '%-26s %-11s %-18s %10s %11s %9s' "$@")"
	rows+="${rows:+, }$(printf '{"shape": "%s", "cluster": "%s", "policy": "%s", "energy_kj": %s, "makespan_s": %s, "mean_wait_s": %s}' "$@")"
}
say "$(printf '%-26s %-11s %-18s %10s %11s %9s' shape cluster policy kJ 'makespan s' 'wait s')"

# study: the means of its four rows
while read -r policy kj makespan; do
	row "study $sets" both "$policy" "$kj" "$makespan" null
done < <("$drover" replay --study --sets "$sets" --json |
	jq -r '.summary | group_by(.policy)[] | "\(.[0].policy) \(map(.energy_j) | add / length / 100 | round / 10) \(map(.makespan_s) | add / length * 10 | round / 10)"')

# shape NAME CLUSTER SEEDS WAVES-OPTION...
shape() {
	local name=$1 cluster=$2 seeds=$3 seed
	shift 3
	for seed in $(seq 2001 $((2000 + seeds))); do
		"$build/drover-waves" --seed "$seed" "$@" >"$work/study.jsonl" || die "drover-waves failed"
		"$drover" replay --json --clamp --cluster "$cluster" "$work/study.jsonl" || die "the replay failed"
	done | jq -s '[.[].results[]]' >"$work/study.json"
	results "$name" "$(basename "$cluster" .json)"
}
results() { # NAME CLUSTER: what lies in study.json
	while read -r line; do
		# shellcheck disable=SC2086 # its words are the arguments
		row "$1" "${2#study-}" $line
	done < <(jq -r 'group_by(.policy)[] | "\(.[0].policy) \(map(.energy_j) | add / length / 100 | round / 10) \(map(.makespan_s) | add / length * 10 | round / 10) \(map(.mean_wait_s) | add / length * 10 | round / 10)"' "$work/study.json")
}
shape "rare short waves" xeon-xgene 20 --waves 8 --jobs-per-wave 6 --spacing 600:1800 --mix study
shape "dense waves" xeon-xgene 20 --waves 20 --jobs-per-wave 8 --spacing 20:60 --mix study
shape "wide jobs" xeon-xgene 20 --waves 6 --jobs-per-wave 8 --spacing 60:240 --cpus 3 --mix study
shape "ep alone" xeon-xgene 20 --waves 5 --jobs-per-wave 14 --spacing 60:240 --mix ep.B=1,ep.C=1
shape "sustained, four racks" "$rack" 20 --load sustained --jobs 160 --in-flight 56 --mix study
shape "waves, four racks" "$rack" 20 --waves 10 --jobs-per-wave 56 --spacing 60:240 --mix study
for trace in "${args[@]}"; do
	"$drover" replay --json --clamp --cluster "$modern" "$trace" | jq '.results' >"$work/study.json" ||
		die "$trace cannot be replayed"
	results "$(basename "$trace" | cut -c1-26)" modern
done
[ "$json" = no ] || echo "[$rows]"
