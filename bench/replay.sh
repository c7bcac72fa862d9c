# tools/bench replay; sourced by it.
# summary: replays a second: traces given as files, and a made one of 200,000 jobs, per policy
#
# Usage: tools/bench replay [TRACE]... The made trace needs no file: bursts of short and long jobs on nodes
# that hold them with little queue. A replay's time is set beside that of reading its trace alone, the least any
# replay can take. Memory is the process's largest resident set above that of a replay of one job, a job.
need drover
runs=${runs:-3}
drover=$build/drover
made=$work/replay-200k.swf
cluster=$work/replay-cluster.json
one=$work/replay-1.swf

if [ ! -s "$made" ]; then
	awk 'BEGIN { x = 1; t = 0; for (i = 1; i <= 200000; i++) {
		x = (x * 1103515245 + 12345) % 2147483648; t += i % 50 ? x % 3 : x % 4000
		run = x % 97 < 80 ? 1 + x % 120 : 600 + x % 7000; cpus = 2 ^ (int(x / 64) % 6)
		print i, t, -1, run, cpus, -1, -1, cpus, run * 2, -1, 1, x % 40, 1, x % 100, 1, -1, -1, -1 } }' >"$made"
fi
echo '1 0 -1 1 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 -1 -1' >"$one"
echo '{"name":"bench","nodes":[{"profile":"epyc-7763","name":"x86","count":8,"cores":128},
	{"profile":"altra-q80-30","name":"arm","count":8,"cores":128}]}' >"$cluster"

TIMEFORMAT='%U %S'
cpu_s() { # COMMAND...: processor time, the middle one of runs
	local i
	for ((i = 0; i < runs; i++)); do
		{ time "$@" >/dev/null 2>"$work/replay.err"; } 2>&1 | awk '{ print $1 + $2 }'
		[ "${PIPESTATUS[0]}" = 0 ] || die "$*: $(head -1 "$work/replay.err")"
	done | median
}
resident_kb() { command time -f %M "$@" 2>&1 >/dev/null | tail -1; }

say "$(printf '%-28s %8s %-18s %9s %9s %9s' trace jobs policy seconds 'read s' 'B/job')"
base_kb=$(resident_kb "$drover" replay --json --cluster "$cluster" --policy balance "$one")
rows=
for trace in "${args[@]}" "$made"; do
	jobs=$("$drover" replay --json --cluster "$cluster" --policy balance --clamp "$trace" | jq '.results[0].jobs') ||
		die "$trace cannot be replayed"
	read_s=$(cpu_s "$drover" replay --json --cluster "$cluster" --policy balance --jobs 1 "$trace")
	for policy in static-x86 static-balanced static-unbalanced balance unbalance consolidate energy; do
		wanted "$policy" || continue
		command=("$drover" replay --json --clamp --cluster "$cluster" --policy "$policy" "$trace")
		s=$(cpu_s "${command[@]}")
		bytes=$((($(resident_kb "${command[@]}") - base_kb) * 1024 / jobs))
		say "$(printf '%-28s %8s %-18s %9s %9s %9s' "$(basename "$trace" | cut -c1-28)" "$jobs" "$policy" "$s" "$read_s" "$bytes")"
		rows+="${rows:+, }{\"trace\": \"$(basename "$trace")\", \"jobs\": $jobs, \"policy\": \"$policy\", \"seconds\": $s, \"read_s\": $read_s, \"bytes_per_job\": $bytes}"
	done
done
[ "$json" = no ] || echo "[$rows]"
