# tools/bench overhead; sourced by it.
# summary: run time of programs built by drover-cc against plain clang with the same C library
#
# Processor time, not elapsed time, so that a busy machine disturbs less; both builds take turns, and
# what is reported is the ratio of their medians. x86-64 or AArch64 natively; never emulated.
no_args
need drover drover-cc
runs=${runs:-9}
level=-O3
. "$top/bench/plain.bash"

# build NAME SOURCES...: $work/NAME.plain and $work/NAME.drover.
build_both() {
	local name=$1
	shift
	"$work/plain-cc" -std=gnu17 $level -D_GNU_SOURCE -I"$top" "$@" -o "$work/$name.plain" \
		2>"$work/$name.log" || { cat "$work/$name.log" >&2; die "$name: clang failed"; }
	"$build/drover-cc" -std=gnu17 $level -D_GNU_SOURCE -I"$top" "$@" -lm -o "$work/$name.drover" \
		2>"$work/$name.log" || { cat "$work/$name.log" >&2; die "$name: drover-cc failed"; }
}

TIMEFORMAT='%3U %3S'
# seconds PROGRAM ARGS...: its processor time; its output goes to $work/output.
seconds() {
	local t
	t=$({ time "$@" >"$work/output" 2>"$work/errors"; } 2>&1) || die "$1 failed: $(head -1 "$work/errors")"
	awk -v t="$t" 'BEGIN {split(t, s, " "); printf "%.3f\n", s[1] + s[2]}'
}

# measure KIND NAME ARGS...: appends "KIND NAME plain drover ratio" to $work/overhead.
measure() {
	local kind=$1 name=$2 i plain drover expected
	shift 2
	: >"$work/$name.plain.s"
	: >"$work/$name.drover.s"
	seconds "$work/$name.plain" "$@" >/dev/null
	expected=$(cat "$work/output")
	seconds "$work/$name.drover" "$@" >/dev/null
	[ "$(cat "$work/output")" = "$expected" ] || die "$name: the two builds print different results"
	for ((i = 0; i < runs; i++)); do
		if [ $((i % 2)) = 0 ]; then
			seconds "$work/$name.plain" "$@" >>"$work/$name.plain.s"
			seconds "$work/$name.drover" "$@" >>"$work/$name.drover.s"
		else
			seconds "$work/$name.drover" "$@" >>"$work/$name.drover.s"
			seconds "$work/$name.plain" "$@" >>"$work/$name.plain.s"
		fi
	done
	plain=$(median <"$work/$name.plain.s")
	drover=$(median <"$work/$name.drover.s")
	awk -v k="$kind" -v n="$name" -v p="$plain" -v d="$drover" \
		'BEGIN {printf "%s %s %.3f %.3f %.4f\n", k, n, p, d, d / p}' | tee -a "$work/overhead" |
		{ [ "$json" = yes ] && cat >/dev/null || awk '{printf "%-9s %-15s %8s s %8s s   %s\n", $1, $2, $3, $4, $5}'; }
}

plain_cc "$work/plain-cc"
: >"$work/overhead"
say "$runs runs each, $level, $isa; medians of processor time"
say "$(printf '%-9s %-15s %10s %10s   ratio' kind program plain drover)"
for kernel in ep:W:1 is:A:2 cg:W:1 mg:A:1 ft:W:2; do
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
	  item = item (NR > 1 ? ", " : "") sprintf("{\"kind\": \"%s\", \"program\": \"%s\", \"plain_s\": %s, \"drover_s\": %s, \"ratio\": %s}", $1, $2, $3, $4, $5) }
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
