# shellcheck shell=bash
# summary: time from a request until all threads of a program stand still, natively on the host's ISA
# Sourced by tools/bench. --runs (default 200) requests a program. Each request is taken back, so that the
# program runs on; "stop" is the part between the thread that sees it first and the last saved stack.
no_args
need bench/reaction/reaction drover-cc
runs=${runs:-200}
isa=$(uname -m)
programs=$top/tests/programs
say "program            threads requests   median ms   p99 ms   max ms   stop median ms   stop p99 ms"

# react NAME THREADS BUNDLE [ARGUMENT]...: a line of the table, of requests that find so many threads or more.
react() {
	local name=$1 least=$2 bundle=$3 raw=$work/reaction.$1
	shift 3
	wanted "$name" || return 0
	[ -x "$bundle" ] || die "$bundle is missing; build it first"
	"$build/bench/reaction/reaction" "$bundle" "$isa" "$least" "$runs" "$((runs * 6))" "$@" >/dev/null 2>"$raw" ||
		die "$name: $(tail -n 1 "$raw")"
	row=$(awk -v name="$name" '
		NF == 4 { n++; all[n] = $1; stop[n] = $2; if ($3 > most) most = $3 }
		function at(v, q,   k) { k = int(n * q + 0.999999); return v[k < 1 ? 1 : k] / 1e6 }
		END {
			asort_(all); asort_(stop)
			printf "%-18s %7d %8d %11.3f %8.3f %8.3f %16.3f %13.3f\n", name, most, n, at(all, .5),
				at(all, .99), at(all, 1), at(stop, .5), at(stop, .99)
		}
		function asort_(v,   i, j, x) {
			for (i = 2; i <= n; i++) {
				x = v[i]
				for (j = i - 1; j > 0 && v[j] > x; j--) v[j + 1] = v[j]
				v[j + 1] = x
			}
		}' "$raw")
	say "$row"
	rows+=("$row")
}

rows=()
for kernel in ep is; do
	react "$kernel" 1 "$DROVER_LIBDIR/workloads/drover-$kernel" W
	react "$kernel-4" 4 "$DROVER_LIBDIR/workloads/drover-$kernel" --threads 4 W
done
for name in threads_mutex threads_cond threads_barrier threads_sem; do
	if wanted "$name"; then
		"$build/drover-cc" -std=gnu17 -O2 -I"$top" "$programs/$name.c" -o "$work/$name" 2>"$work/$name.log" ||
			die "$name: drover-cc failed: $(tail -n 1 "$work/$name.log")"
		react "$name" 2 "$work/$name"
	fi
done
[ "$json" = no ] || printf '%s\n' "${rows[@]}" | jq -Rn '[inputs | split(" +"; "g") | {program: .[0],
	threads: (.[1] | tonumber), requests: (.[2] | tonumber), median_ms: (.[3] | tonumber),
	p99_ms: (.[4] | tonumber), max_ms: (.[5] | tonumber), stop_median_ms: (.[6] | tonumber),
	stop_p99_ms: (.[7] | tonumber)}] | {reaction: .}'
