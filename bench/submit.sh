# shellcheck shell=bash
# summary: durable submissions a second over REST, beside what the disk and SQLite alone can do
# Sourced by tools/bench. Options: --seconds N (default 5), --clients N (default 8).
seconds=5 clients=8
set -- "${args[@]+"${args[@]}"}"
while [ $# -gt 0 ]; do
	case $1 in
	--seconds) seconds=$2; shift 2 ;;
	--clients) clients=$2; shift 2 ;;
	*) die "submit: unknown option $1" ;;
	esac
done
for p in droverd bench/service/submitters tests/cluster/mkbundle; do
	[ -x "$build/$p" ] || die "$build/$p is missing; make $p in the build tree"
done
submitters=$build/bench/service/submitters
dir=$(mktemp -d "$work/submit.XXXXXX") || exit 1
pid=
cleanup() { [ -z "$pid" ] || kill "$pid" 2>/dev/null; [ -z "$pid" ] || wait "$pid" 2>/dev/null; rm -rf "$dir"; }
trap cleanup EXIT

"$build/tests/cluster/mkbundle" "$dir/bundle" || die "no bundle"
"$build/droverd" --state-dir "$dir/state" --listen 127.0.0.1:0 --port-file "$dir/port" --log-level error 2>"$dir/log" &
pid=$!
for _ in $(seq 100); do [ -s "$dir/port" ] && break; sleep 0.05; done
port=$(cat "$dir/port") || die "droverd did not start: $(cat "$dir/log")"
sha=$(sha256sum "$dir/bundle" | cut -d' ' -f1)
curl -sf -T "$dir/bundle" "http://127.0.0.1:$port/v1/bundles/$sha" >/dev/null || die "no upload"

rows=()
measure() { # NAME CONNECTIONS
	local got alone
	wanted "$1" || return 0
	"$submitters" run "$port" "$sha" "$clients" "$2" 1 "warm$1" >/dev/null
	# Before and after, for the disk has others to serve; the better one counts.
	alone=$("$submitters" limit "$dir" $((clients * $2)) 3) || die "SQLite alone failed"
	got=$("$submitters" run "$port" "$sha" "$clients" "$2" "$seconds" "$1") || die "submitters failed"
	alone=$(printf '%s\n' "$alone" "$("$submitters" limit "$dir" $((clients * $2)) 3)" | jq -sc 'max_by(.rate)')
	rows+=("$(jq -nc --arg n "$1" --argjson c "$clients" --argjson k "$2" --argjson g "$got" --argjson a "$alone" \
		'{case:$n, clients:$c, connections:($c*$k), rate:$g.rate, refused:$g.refused, p50_ms:$g.p50_ms, p99_ms:$g.p99_ms,
		  sqlite_alone:$a.rate, commits_alone:($a.rate/($c*$k)), ratio:($g.rate/$a.rate)}')")
}
measure one 1
measure eight 8
if [ "$json" = yes ]; then
	printf '%s\n' "${rows[@]}" | jq -sc '{benchmark:"submit", cases:.}'
else
	say "case    connections  submissions/s  p50 ms  p99 ms  SQLite alone, rows/s  commits/s  ratio"
	printf '%s\n' "${rows[@]}" | jq -r '[.case, .connections, (.rate|floor), .p50_ms, .p99_ms, (.sqlite_alone|floor), (.commits_alone|floor), (.ratio*100|floor/100)] | @tsv' |
		awk '{printf "%-8s%11d%15d%8.2f%8.2f%22d%11d%7.2f\n", $1, $2, $3, $4, $5, $6, $7, $8}'
fi
