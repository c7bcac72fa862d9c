# tools/bench overhead; sourced by it.
# summary: run time of programs built by drover-cc against plain clang with the same C library
#
# Processor time, not elapsed time, so that a busy machine disturbs less; both builds take turns, and
# what is reported is the ratio of means of medians. x86-64 or AArch64 natively; never emulated.
no_args
need drover drover-cc
runs=${runs:-5}
level=-O3
. "$top/bench/plain.bash"

# The same code takes up to 1.6 times as long at another distance from a cache line's beginning, in either
# build, because processors predict jumps by their place. So each program is built several times, with a
# different amount of room in front of it, and counts as the mean over these positions.
positions=(0 16 32 48)
for p in "${positions[@]}"; do
	printf 'void position(void);\nvoid position(void)\n{\n\t__asm__(".skip %d, 0x90");\n}\n' "$p" >"$work/position$p.c"
done

# build_both NAME SOURCES...: $work/NAME.plain.N and $work/NAME.drover.N for each position N.
build_both() {
	local name=$1 p
	shift
	for p in "${positions[@]}"; do
		local flags=(-std=gnu17 $level -D_GNU_SOURCE -I"$top" -Wl,-u,position "$work/position$p.c")
		"$work/plain-cc" "${flags[@]}" "$@" -o "$work/$name.plain.$p" \
			2>"$work/$name.log" || { cat "$work/$name.log" >&2; die "$name: clang failed"; }
		"$build/drover-cc" "${flags[@]}" "$@" -lm -o "$work/$name.drover.$p" \
			2>"$work/$name.log" || { cat "$work/$name.log" >&2; die "$name: drover-cc failed"; }
	done
}

TIMEFORMAT='%3U %3S'
# seconds PROGRAM ARGS...: its processor time; its output goes to $work/output.
seconds() {
	local t
	t=$({ time "$@" >"$work/output" 2>"$work/errors"; } 2>&1) || die "$1 failed: $(head -1 "$work/errors")"
	awk -v t="$t" 'BEGIN {split(t, s, " "); printf "%.3f\n", s[1] + s[2]}'
}

# measure KIND NAME ARGS...: appends "KIND NAME plain drover ratio least greatest" to $work/overhead; the last two
# are the ratios at single positions.
measure() {
	local kind=$1 name=$2 i p b builds expected
	shift 2
	: >"$work/$name.times"
	for p in "${positions[@]}"; do
		: >"$work/$name.plain.s"
		: >"$work/$name.drover.s"
		seconds "$work/$name.plain.$p" "$@" >/dev/null
		expected=$(cat "$work/output")
		seconds "$work/$name.drover.$p" "$@" >/dev/null
		[ "$(cat "$work/output")" = "$expected" ] || die "$name: the two builds print different results"
		for ((i = 0; i < runs; i++)); do
			[ $((i % 2)) = 0 ] && builds='plain drover' || builds='drover plain'
			for b in $builds; do
				seconds "$work/$name.$b.$p" "$@" >>"$work/$name.$b.s"
			done
		done
		echo "$(median <"$work/$name.plain.s") $(median <"$work/$name.drover.s")" >>"$work/$name.times"
	done
	awk -v k="$kind" -v n="$name" '
		{ p += $1 / NR_; d += $2 / NR_; r = $2 / $1
		  if (!least || r < least) least = r; if (r > most) most = r }
		END { printf "%s %s %.3f %.3f %.4f %.3f %.3f\n", k, n, p, d, d / p, least, most }
		' NR_=${#positions[@]} "$work/$name.times" | tee -a "$work/overhead" |
		{ [ "$json" = yes ] && cat >/dev/null || awk '{printf "%-9s %-15s %8s s %8s s   %s  %s to %s\n", $1, $2, $3, $4, $5, $6, $7}'; }
}

plain_cc "$work/plain-cc"
: >"$work/overhead"
say "$runs runs each at ${#positions[@]} positions, $level, $isa; means of the medians of processor time"
say "$(printf '%-9s %-15s %10s %10s   ratio   at single positions' kind program plain drover)"
for kernel in ep:W:1 is:A:2 cg:W:4 mg:A:1 ft:W:4; do
	IFS=: read -r name class repeat <<<"$kernel"
	wanted "$name" || continue
	kernel_sources "$name"
	build_both "$name" "${sources[@]}"
	measure workload "$name" --untimed --class "$class" --repeat "$repeat"
done
for source in "$top"/bench/programs/*.c; do
	name=$(basename "$source" .c)
	[ "$name" != hop_target ] && wanted "$name" || continue
	build_both "$name" "$source"
	measure program "$name"
done
[ -s "$work/overhead" ] || die "no such program: ${only[*]}"
awk -v json="$json" -v runs="$runs" -v isa="$isa" -v level="$level" '
	{ s[$1] += log($5); n[$1]++; all += log($5); if ($5 > worst[$1]) worst[$1] = $5
	  item = item (NR > 1 ? ", " : "") sprintf("{\"kind\": \"%s\", \"program\": \"%s\", \"plain_s\": %s, \"drover_s\": %s, \"ratio\": %s, \"least\": %s, \"greatest\": %s}", $1, $2, $3, $4, $5, $6, $7) }
	END {
		if (json == "yes") {
			printf "{\"isa\": \"%s\", \"level\": \"%s\", \"runs\": %d, \"programs\": [%s], \"geometric_mean\": {", isa, level, runs, item
			for (k in n) printf "\"%s\": %.4f, ", k, exp(s[k] / n[k])
			printf "\"all\": %.4f}}\n", exp(all / NR)
		} else {
			for (k in n) printf "geometric mean of %ss %.4f, worst %.4f\n", k, exp(s[k] / n[k]), worst[k]
			printf "geometric mean of all %.4f\n", exp(all / NR)
		}
	}' "$work/overhead"
