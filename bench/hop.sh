# tools/bench hop; sourced by it.
# summary: time to save, hand over and rebuild a running program, by stack depth and image size
#
# The program goes there and back, so that every figure of the host's ISA is measured natively; what
# the emulated half takes is printed too, apart and labelled, and is no performance of that ISA.
no_args
need drover drover-cc
runs=${runs:-20}
hops=$((runs * 2))
target=$work/hop_target

"$build/drover-cc" -std=gnu17 -O2 -I"$top" "$top/bench/programs/hop_target.c" -o "$target" \
	2>"$work/hop_target.log" || { cat "$work/hop_target.log" >&2; die "drover-cc failed"; }

# summary FROM FIELD FILE: the median of a figure in drover hop's report, FROM being from_x86_64, ...
summary() {
	awk -v from="\"$1\":" -v field="\"$2\":" '
		$1 == from { inside = 1 }
		inside && $1 == field { found = 1 }
		found && $1 == "\"median\":" { sub(",", "", $2); print $2; exit }' "$3"
}

# measure NAME FRAMES MIB: one line of figures.
measure() {
	local name=$1 frames=$2 mib=$3 report=$work/$1.json rounds=$((hops + 1000)) here there f
	wanted "$name" || return 0
	"$build/drover" hop --at $((frames + 20)) --hops "$hops" --compare --json "$target" -- \
		"$frames" "$mib" "$rounds" >"$report" 2>"$work/$name.log" ||
		die "$name: drover hop failed: $(tail -n 2 "$work/$name.log") $(grep -m1 '"text"' "$report")"
	if [ "$(uname -m)" = x86_64 ]; then
		here=from_x86_64 there=from_aarch64
	else
		here=from_aarch64 there=from_x86_64
	fi
	# Saved here: the moves away. Loaded and rebuilt here: the moves back.
	{
		printf '%s' "$name"
		for f in frames image_bytes save_ns write_ns check_ns; do
			printf ' %s' "$(summary $here $f "$report")"
		done
		for f in start_ns load_ns rebuild_ns downtime_ns; do
			printf ' %s' "$(summary $there $f "$report")"
		done
		for f in save_ns write_ns; do
			printf ' %s' "$(summary $there $f "$report")"
		done
		for f in start_ns load_ns rebuild_ns; do
			printf ' %s' "$(summary $here $f "$report")"
		done
		printf '\n'
	} >"$work/line"
	[ "$(wc -w <"$work/line")" = 15 ] || die "$name: drover hop reported no times: $(cat "$work/$name.log")"
	cat "$work/line" >>"$work/hop"
	[ "$json" = yes ] || show <"$work/line"
}

show() {
	awk '{printf "%-12s %6d %8.2f | %9.1f %9.2f | %8.2f %9.2f | %8.2f %10.1f | %11.1f | %10.2f | %8.1f %8.1f\n",
		$1, $2, $3 / 1048576, $4 / 1e3, $5 / 1e6, $6 / 1e6, $7 / 1e6, $8 / 1e6, $9 / 1e3, ($4 + $9) / 1e3,
		$10 / 1e6, $11 / 1e3, $15 / 1e3}'
}

: >"$work/hop"
say "medians of $runs migrations away from and $runs back to the $(uname -m) half, which runs natively"
say "$(printf '%-12s %6s %8s | %9s %9s | %8s %9s | %8s %10s | %11s | %10s | %8s %8s' '' '' image save write \
	check start load rebuild save+rebld downtime emulated half)"
say "$(printf '%-12s %6s %8s | %9s %9s | %8s %9s | %8s %10s | %11s | %10s | %8s %8s' case frames MiB us ms \
	ms ms ms us us ms 'save us' 'rebld us')"
for frames in 10 100 1000 10000; do
	measure "depth-$frames" $frames 0
done
for mib in 1 16 64; do
	measure "image-${mib}M" 10 $mib
done
[ -s "$work/hop" ] || die "no such case: ${only[*]}"
[ "$json" = no ] || awk -v runs="$runs" '
	BEGIN { printf "{\"runs\": %d, \"cases\": [", runs
		n = split("frames image_bytes save_ns write_ns check_ns start_ns load_ns rebuild_ns downtime_ns emulated_save_ns emulated_write_ns emulated_start_ns emulated_load_ns emulated_rebuild_ns", key, " ") }
	{ printf "%s{\"case\": \"%s\"", (NR > 1 ? ", " : ""), $1
	  for (i = 1; i <= n; i++) printf ", \"%s\": %d", key[i], $(i + 1)
	  printf "}" }
	END { print "]}" }' "$work/hop"
