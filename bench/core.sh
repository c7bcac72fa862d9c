# tools/bench core; sourced by it.
# summary: placement decisions a second of the scheduler's core, and how their cost grows with nodes and queue
#
# Options: --only NAME takes a policy (default: every one at the largest size, balance at all sizes).
# Each axis is grown alone, with every size measured in a full cluster: "by queue" is the time of a decision over
# that with 1,000 queued jobs and as many nodes, "by nodes" over that with 100 nodes and as many jobs, each with
# the growth of the logarithm behind it. "peer" is the growth, over the same sizes in the same run, of the C
# library's balanced tree over as many records of a job's size: what a logarithm costs on this machine's memory.
# What is measured is CPU time; the least of the runs, for what else the machine does only adds to it.
no_args
decisions=$build/bench/scheduler/decisions
[ -x "$decisions" ] || die "$decisions is not built: make bench/scheduler/decisions"
runs=${runs:-3}

# once NODES QUEUED POLICY: the best of runs, by decisions a second
once() { for ((i = 0; i < runs; i++)); do "$decisions" "$1" "$2" 40000 "$3" || die "decisions failed"; done | sort -g -k6 | tail -n 1; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
logs() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", log(a) / log(b) }'; }

say "$(printf '%-18s %6s %7s %11s %8s %6s  %-24s %-24s' policy nodes queued decisions/s 'us each' B/job 'by queue (log, peer)' 'by nodes (log, peer)')"
json_rows=
declare -A us_of peer_of
row() { # NODES QUEUED POLICY [grown]
	local n q p d s rate us bytes by_queue= by_nodes= peer= pq= pn= gq= gn=
	read -r n q p d s rate us bytes <<<"$(once "$1" "$2" "$3")"
	if [ -n "${4:-}" ]; then
		read -r _ _ _ _ _ _ peer _ <<<"$(once "$1" "$2" peer)"
		us_of[$n,$q]=$us peer_of[$n,$q]=$peer
		gq=$(ratio "$us" "${us_of[$n,1000]}") pq=$(ratio "$peer" "${peer_of[$n,1000]}")
		gn=$(ratio "$us" "${us_of[100,$q]}") pn=$(ratio "$peer" "${peer_of[100,$q]}")
		by_queue="$gq ($(logs "$q" 1000), $pq)" by_nodes="$gn ($(logs "$n" 100), $pn)"
		json_grown=",\"peer_us\":$peer,\"by_queue\":$gq,\"log_queue\":$(logs "$q" 1000),\"peer_by_queue\":$pq,\"by_nodes\":$gn,\"log_nodes\":$(logs "$n" 100),\"peer_by_nodes\":$pn"
	else
		json_grown=
	fi
	say "$(printf '%-18s %6s %7s %11s %8s %6s  %-24s %-24s' "$p" "$n" "$q" "$rate" "$us" "$bytes" "$by_queue" "$by_nodes")"
	json_rows+="${json_rows:+,}{\"policy\":\"$p\",\"nodes\":$n,\"queued\":$q,\"decisions_per_s\":$rate,\"us\":$us,\"bytes_per_job\":$bytes$json_grown}"
}

if [ ${#only[@]} = 0 ]; then
	for n in 100 1000 10000; do
		for q in 1000 10000 100000; do row "$n" "$q" balance grown; done
	done
fi
for p in unbalance consolidate energy static-balanced static-unbalanced static-x86; do
	! wanted "$p" || row 10000 100000 "$p"
done
[ "$json" != yes ] || echo "{\"core\":[$json_rows]}"
