# tools/bench core; sourced by it.
# summary: placement decisions a second of the scheduler's core, and how their cost grows with nodes and queue
#
# Options: --only NAME takes a policy (default: every one at the largest size, balance at all sizes).
# Growth is the time of a decision over that at 100 nodes and 1,000 jobs, beside the growth of the logarithm of
# nodes times jobs. What is measured is CPU time, with one process on an otherwise idle core.
no_args
decisions=$build/bench/scheduler/decisions
[ -x "$decisions" ] || die "$decisions is not built: make bench/scheduler/decisions"
runs=${runs:-3}

# once NODES QUEUED POLICY: the middle one of runs, by decisions a second
once() { for ((i = 0; i < runs; i++)); do "$decisions" "$1" "$2" 40000 "$3" || die "decisions failed"; done | sort -g -k6 | sed -n "$(((runs + 1) / 2))p"; }

say "$(printf '%-18s %7s %8s %12s %10s %8s %8s %10s' policy nodes queued decisions/s 'us each' growth log B/job)"
json_rows=
row() { # NODES QUEUED POLICY
	local n q p d s rate us bytes
	read -r n q p d s rate us bytes <<<"$(once "$1" "$2" "$3")"
	[ -n "$base" ] || base=$us
	growth=$(awk -v a="$us" -v b="$base" 'BEGIN { printf "%.2f", a / b }')
	log=$(awk -v n="$n" -v q="$q" 'BEGIN { printf "%.2f", log(n * q) / log(100 * 1000) }')
	say "$(printf '%-18s %7s %8s %12s %10s %8s %8s %10s' "$p" "$n" "$q" "$rate" "$us" "$growth" "$log" "$bytes")"
	json_rows+="${json_rows:+,}{\"policy\":\"$p\",\"nodes\":$n,\"queued\":$q,\"decisions_per_s\":$rate,\"us\":$us,\"growth\":$growth,\"log_growth\":$log,\"bytes_per_job\":$bytes}"
}

base=
if [ ${#only[@]} = 0 ]; then
	for n in 100 1000 10000; do
		for q in 1000 10000 100000; do row "$n" "$q" balance; done
	done
fi
for p in unbalance consolidate energy static-balanced static-unbalanced static-x86; do
	! wanted "$p" || row 10000 100000 "$p"
done
[ "$json" != yes ] || echo "{\"core\":[$json_rows]}"
