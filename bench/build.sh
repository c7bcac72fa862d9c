# tools/bench build; sourced by it.
# summary: time to build programs for both ISAs by drover-cc, against plain clang for one
#
# From sources to a static program: elapsed and processor time of all compilers and linkers. Packages are
# built by their own makefiles, configured before; kernels by one command. The builds take turns.
no_args
need drover-cc
. "$top/bench/plain.bash"
runs=${runs:-1}
drover_cc=$build/drover-cc

plain_cc "$work/plain-cc"
TIMEFORMAT='%3R %3U %3S'
# times COMMAND...: elapsed seconds and processor time, children and all
times() {
	local t
	t=$({ time "$@" >"$work/build.log" 2>&1; } 2>&1) || die "$*: failed: $(grep -m1 -iE 'error|refused' "$work/build.log")"
	awk -v t="$t" 'BEGIN {split(t, s, " "); printf "%.3f %.3f\n", s[1], s[2] + s[3]}'
}

kernel() {
	"$1" -std=gnu17 -O3 -D_GNU_SOURCE -I"$top" "${sources[@]}" -lm -o "$work/build.out"
}

# once WHICH NAME CC
once() {
	local tree=$work/build.tree
	if [[ " ${packages[*]} " == *" $2 "* ]]; then
		unpack "$2" "$tree"
		times build_package "$2" "$tree" "$3" >>"$work/build.$1"
	else
		kernel_sources "$2"
		times kernel "$3" >>"$work/build.$1"
	fi
}

: >"$work/build.all"
say "medians of $runs; elapsed and processor seconds of plain clang, of drover-cc for both ISAs, and their ratios"
say "$(printf '%-8s %9s %9s %9s %9s   %7s %9s' program plain cpu drover cpu elapsed cpu)"
for name in "${packages[@]}" "${kernels[@]}"; do
	wanted "$name" || continue
	: >"$work/build.plain"
	: >"$work/build.drover"
	for ((i = 0; i < runs; i++)); do
		once plain "$name" "$work/plain-cc"
		once drover "$name" "$drover_cc"
	done
	for which in plain drover; do
		for column in 1 2; do cut -d' ' -f$column "$work/build.$which" | median; done
	done | tr '\n' ' ' | awk -v n="$name" '{printf "%s %.2f %.2f %.2f %.2f %.2f %.2f\n", n, $1, $2, $3, $4, $3 / $1, $4 / $2}' |
		tee -a "$work/build.all" | { [ "$json" = yes ] && cat >/dev/null ||
			awk '{printf "%-8s %9s %9s %9s %9s   %7s %9s\n", $1, $2, $3, $4, $5, $6, $7}'; }
done
[ -s "$work/build.all" ] || die "no such program: ${only[*]}"
awk -v json="$json" '
	{ e += log($6); c += log($7); if ($7 > worst) worst = $7
	  item = item (NR > 1 ? ", " : "") sprintf("{\"program\": \"%s\", \"plain_s\": %s, \"plain_cpu_s\": %s, \"drover_s\": %s, \"drover_cpu_s\": %s, \"elapsed_ratio\": %s, \"cpu_ratio\": %s}", $1, $2, $3, $4, $5, $6, $7) }
	END {
		if (json == "yes")
			printf "{\"programs\": [%s], \"geometric_mean\": {\"elapsed\": %.3f, \"cpu\": %.3f}, \"worst_cpu\": %s}\n", item, exp(e / NR), exp(c / NR), worst
		else
			printf "geometric mean: elapsed %.2f, processor time %.2f; worst processor time %.2f\n", exp(e / NR), exp(c / NR), worst
	}' "$work/build.all"
