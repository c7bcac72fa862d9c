# shellcheck shell=bash
# summary: a thousand simulated agents against one scheduler: how late reports are, its memory and cpu
# Sourced by tools/bench. Options: --agents N (default 1000), --seconds N (default 20).
agents=1000 seconds=20
set -- "${args[@]+"${args[@]}"}"
while [ $# -gt 0 ]; do
	case $1 in
	--agents) agents=$2; shift 2 ;;
	--seconds) seconds=$2; shift 2 ;;
	*) die "agents: unknown option $1" ;;
	esac
done
for p in droverd bench/service/swarm; do
	[ -x "$build/$p" ] || die "$build/$p is missing; make $p in the build tree"
done
dir=$(mktemp -d "$work/agents.XXXXXX") || exit 1
pid=
trap '[ -z "$pid" ] || { kill "$pid"; wait "$pid"; } 2>/dev/null; rm -rf "$dir"' EXIT
"$build/droverd" --state-dir "$dir/state" --listen 127.0.0.1:0 --port-file "$dir/port" --log-level error 2>"$dir/log" &
pid=$!
for _ in $(seq 100); do [ -s "$dir/port" ] && break; sleep 0.05; done
url=http://127.0.0.1:$(cat "$dir/port") || die "droverd did not start: $(cat "$dir/log")"
ticks() { awk '{print $14 + $15}' "/proc/$pid/stat"; }
"$build/bench/service/swarm" "$url" "$agents" "$seconds" >"$dir/result" &
swarm=$!
sleep 3 # introductions
c0=$(ticks) t0=$(date +%s%N) silent=0 up=$agents
while kill -0 $swarm 2>/dev/null && [ $((($(date +%s%N) - t0) / 1000000000)) -lt $((seconds - 4)) ]; do
	sleep 1
	read -r s u < <(curl -s "$url/v1/nodes?limit=1000" | jq -r '[([.nodes[].silent_ms]|max), ([.nodes[]|select(.state=="up")]|length)]|@tsv')
	[ "${s:-0}" -gt $silent ] && silent=$s
	[ "${u:-0}" -lt "$up" ] && up=$u
done
cpu=$(awk -v a="$c0" -v b="$(ticks)" -v t="$(($(date +%s%N) - t0))" -v hz="$(getconf CLK_TCK)" 'BEGIN{printf "%.1f", (b - a) / hz / (t / 1e9) * 100}')
rss=$(awk '/VmHWM/{print $2}' "/proc/$pid/status")
wait $swarm
status=$?
result=$(jq -c --argjson s "$silent" --argjson u "$up" --argjson c "$cpu" --argjson r "$rss" \
	'. + {silent_ms_max:$s, up_min:$u, cpu_percent:$c, memory_kib:$r}' "$dir/result")
if [ "$json" = yes ]; then
	jq -c '{benchmark:"agents", cases:[.]}' <<<"$result"
else
	jq -r '"\(.agents) agents, a report each \(.heartbeat_ms) ms: \(.reports) reports, \(.late) late, \(.failed) failed",
	"from due to acknowledged: median \(.p50_ms) ms, 99 of 100 within \(.p99_ms) ms, longest \(.max_ms) ms",
	"as the scheduler sees it: at least \(.up_min) of the first 1000 up at any time, longest silence \(.silent_ms_max) ms",
	"droverd: \(.cpu_percent) % of a cpu, at most \((.memory_kib/1024)|floor) MiB of memory"' <<<"$result"
fi
[ $status = 0 ] || die "agents were not heard in time, or not at all"
