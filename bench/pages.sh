# shellcheck shell=bash
# summary: time of a page of jobs, by filter, with many finished jobs in the database
# Sourced by tools/bench. Options: --jobs N (default 1000000); --runs (default 9) requests a case.
jobs=1000000
set -- "${args[@]+"${args[@]}"}"
while [ $# -gt 0 ]; do
	case $1 in
	--jobs) jobs=$2; shift 2 ;;
	*) die "pages: unknown option $1" ;;
	esac
done
for p in droverd bench/service/submitters; do
	[ -x "$build/$p" ] || die "$build/$p is missing; make $p in the build tree"
done
dir=$(mktemp -d "$work/pages.XXXXXX") || exit 1
pid=
stop() { [ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null; pid=; }
trap 'stop; rm -rf "$dir"' EXIT
start() {
	rm -f "$dir/port"
	"$build/droverd" --state-dir "$dir/state" --listen 127.0.0.1:0 --port-file "$dir/port" --log-level error 2>"$dir/log" &
	pid=$!
	for _ in $(seq 1200); do [ -s "$dir/port" ] && break; sleep 0.05; done
	port=$(cat "$dir/port") || die "droverd did not start: $(cat "$dir/log")"
}
start
stop
"$build/bench/service/submitters" fill "$dir/state" "$jobs" || die "the database can't be filled"
t0=$(date +%s%N)
start
say "$jobs jobs; droverd started in $((($(date +%s%N) - t0) / 1000000)) ms"
say "filter                                                   median ms   max ms   jobs"
rows=()
page() { # NAME QUERY
	local times last
	wanted "$1" || return 0
	times=$(for _ in $(seq "${runs:-9}"); do
		curl -sf -o "$dir/page" -w '%{time_total}\n' "http://127.0.0.1:$port/v1/jobs?$2" || die "$2"
	done)
	last=$(jq '.jobs|length' "$dir/page")
	rows+=("$(jq -nc --arg n "$1" --arg q "$2" --argjson m "$(median <<<"$times")" --argjson x "$(sort -g <<<"$times" | tail -1)" \
		--argjson j "$last" '{case:$n, query:$q, median_ms:($m*1000), max_ms:($x*1000), jobs:$j}')")
	[ "$json" = yes ] || printf '%-56s%10.1f%9.1f%7d\n' "$1 $2" "$(jq .median_ms <<<"${rows[-1]}")" "$(jq .max_ms <<<"${rows[-1]}")" "$last"
}
mid=$((1700000000000 + jobs * 25))
page first ''
page newest order=newest
page middle "cursor=$mid-1"
page full limit=1000 # the others have 100
page state state=FAILED
page states 'state=FAILED,COMPLETED&order=newest'
page live state=PENDING,RUNNING,MIGRATING
page user user=user7
page user-state 'user=user7&state=FAILED&order=newest'
page name name=is.42
page node node=node3
page node-state 'node=node3&state=FAILED'
page isa isa=aarch64
page array array=5
page nobody user=nobody
page since "since_ms=$mid&order=newest"
page until "until_ms=$mid&order=newest"
page q q=is.199
page q-none q=absent
page all 'user=user7&name=is.42&node=node3&isa=x86_64&state=FAILED'
page count 'count=1'
page count-user 'user=user7&count=1'
page count-all 'user=user7&node=node3&q=is&count=1'
[ "$json" = no ] || printf '%s\n' "${rows[@]}" | jq -sc --argjson n "$jobs" '{benchmark:"pages", jobs_kept:$n, cases:.}'
