# What the cluster tests share: private clusters of the real programs, each process known by its id.
# shellcheck shell=bash

: "${DROVER_BUILDDIR:?run by make check, or set DROVER_BUILDDIR and DROVER_SRCDIR}"
: "${DROVER_SRCDIR:?}"
B=$DROVER_BUILDDIR
export DROVER_LIBDIR=${DROVER_LIBDIR:-$B/stage/lib/drover}
unset DROVER_SERVER DROVER_CLUSTER DROVER_FAULT DROVER_FAULT_LOG
export DROVER_CONFIG_DIR=/nonexistent # not this machine's configuration

TICKER=$B/tests/cluster/ticker
POLL=0.05

need() {
	local p
	for p in droverd drover-agent drover-ferry drover tests/cluster/ticker; do
		[ -x "$B/$p" ] || { echo "cannot run: $B/$p is not built (make check builds it)"; exit 99; }
	done
	for p in curl jq; do command -v $p >/dev/null || { echo "cannot run: $p is not installed"; exit 99; }; done
}

# ---- one cluster, in variables of the calling (sub)shell --------------------
declare -A PID=() NODE_ISA=()
T= PORT=0

cluster_begin() {
	T=$(mktemp -d /tmp/drover-t.XXXXXX)
	PID=() NODE_ISA=() PORT=0
	trap cluster_end EXIT
	trap 'exit 130' INT TERM
}

# Ends only what this cluster started: its daemons, then the ferries below its own directory.
cluster_end() {
	local n s pid
	for n in "${!PID[@]}"; do kill -KILL "${PID[$n]}" 2>/dev/null; done
	for s in "$T"/*/jobs/*/status.json; do
		[ -e "$s" ] || continue
		pid=$(jq -r .ferry_pid "$s" 2>/dev/null) || continue
		ferry_is_ours "$pid" && kill -KILL "$pid" 2>/dev/null
	done
	for n in "${!PID[@]}"; do wait "${PID[$n]}" 2>/dev/null; done
	if [ -n "${KEEP-}" ]; then echo "kept: $T" >&2; else rm -rf "$T"; fi
}

ferry_is_ours() {
	[ "${1:-0}" -gt 1 ] 2>/dev/null && [ -r "/proc/$1/cmdline" ] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q "$T/"
}

alive() {
	local s
	s=$(sed -n 's/^.*) \([A-Z]\) .*/\1/p' "/proc/$1/stat" 2>/dev/null) || return 1
	[ -n "$s" ] && [ "$s" != Z ] && [ "$s" != X ]
}

stopped() {
	[ "$(sed -n 's/^.*) \([A-Z]\) .*/\1/p' "/proc/$1/stat" 2>/dev/null)" = T ]
}

# wait_for SECONDS COMMAND...: until it succeeds; its status otherwise 1.
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || return 1
		sleep $POLL
	done
}

# start_droverd [FAULT]
start_droverd() {
	[ "$PORT" != 0 ] || rm -f "$T/port"
	env ${1:+DROVER_FAULT="$1" DROVER_FAULT_LOG="$T/faults"} "$B/droverd" --state-dir "$T/s" \
		--listen "127.0.0.1:$PORT" --port-file "$T/port" --policy static "${DROVERD_OPTIONS[@]}" \
		>>"$T/droverd.log" 2>&1 &
	PID[droverd]=$!
	wait_for 10 healthy || { echo "droverd did not come up: $(tail -n 1 "$T/droverd.log")"; return 1; }
}
DROVERD_OPTIONS=()

healthy() {
	alive "${PID[droverd]}" && [ -s "$T/port" ] && PORT=$(cat "$T/port") && [ -n "$PORT" ] &&
		curl -sf -m 2 -o /dev/null "http://127.0.0.1:$PORT/healthz"
}

# start_agent NAME ISA [FAULT]
start_agent() {
	NODE_ISA[$1]=$2
	env ${3:+DROVER_FAULT="$3" DROVER_FAULT_LOG="$T/faults"} "$B/drover-agent" --name "$1" --isa "$2" \
		--server "http://127.0.0.1:$PORT" --state-dir "$T/$1" --sample-ms 200 \
		>>"$T/$1.log" 2>&1 &
	PID[$1]=$!
}

api() { # METHOD PATH [BODY]
	curl -s -m 3 -X "$1" ${3:+-H 'Content-Type: application/json' --data-binary "$3"} \
		"http://127.0.0.1:$PORT$2"
}

node_up() { [ "$(api GET "/v1/nodes/$1" | jq -r '.state // empty | ascii_downcase' 2>/dev/null)" = up ]; }

upload() { # FILE -> sha256
	local sha
	sha=$(sha256sum "$1" | cut -d' ' -f1)
	curl -sf -m 30 -o /dev/null -X PUT -T "$1" "http://127.0.0.1:$PORT/v1/bundles/$sha" || return 1
	echo "$sha"
}

submit() { # BUNDLE_SHA NAME ARGS_JSON ENV_JSON -> id
	local env=${4-}
	[ -n "$env" ] || env="{}"
	api POST /v1/jobs "$(jq -nc --arg b "$1" --arg n "$2" --argjson a "$3" --argjson e "$env" \
		'{bundle:$b, name:$n, args:$a, env:$e, max_restarts:5}')" | jq -r '.id // empty'
}

job() { api GET "/v1/jobs/$1" | jq -r ".$2" 2>/dev/null; }
job_running() { [ "$(job "$1" state)" = RUNNING ] && [ "$(ferry_of "$(job "$1" node)" "$1" state)" = running ]; }
job_over() { case $(job "$1" state) in COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL) return 0 ;; *) return 1 ;; esac; }

# ferry_of NODE JOB FIELD: of the newest ferry of that job on that node.
ferry_of() {
	local d
	d=$(ls -td "$T/$1/jobs/$2".* 2>/dev/null | head -n 1)
	[ -n "$d" ] && jq -r ".$3" "$d/status.json" 2>/dev/null
}

# Daemons that died are started again, unarmed.
revive() {
	local n
	for n in "${!PID[@]}"; do
		alive "${PID[$n]}" && continue
		wait "${PID[$n]}" 2>/dev/null
		if [ "$n" = droverd ]; then start_droverd; else start_agent "$n" "${NODE_ISA[$n]}"; fi
	done
}

# The job's end: completed once, its output whole and right, each line of an attempt computed once.
check_job() { # ID EXPECTED_FILE WITNESS_FILE LINES
	local state attempt
	state=$(job "$1" state)
	[ "$state" = COMPLETED ] || { echo "ended $state: $(job "$1" reason)"; return 1; }
	[ "$(job "$1" exit_code)" = 0 ] || { echo "exit code $(job "$1" exit_code)"; return 1; }
	attempt=$(job "$1" attempt)
	curl -s -m 10 "http://127.0.0.1:$PORT/v1/jobs/$1/log" >"$T/log"
	cmp -s "$T/log" "$2" || {
		echo "output differs from an unmoved run: $(cmp "$T/log" "$2" 2>&1 | head -n 1)"
		return 1
	}
	awk -v last="$attempt" -v want="$4" '
		{ if ($2 != next_line[$1] + 0) { print "line " $2 " of attempt " $1 " where " next_line[$1] + 0 " was due"; bad = 1; exit }
		  next_line[$1] = $2 + 1 }
		END { if (!bad && next_line[last] != want) { print "attempt " last " has " next_line[last] + 0 " lines of " want; bad = 1 }
		      exit bad }' "$3"
}
