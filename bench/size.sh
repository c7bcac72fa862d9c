# tools/bench size: a program's own machine code and its build time against plain clang.
# summary: a program's machine code and build time by drover-cc, against plain clang's
#
# Code: the bytes of the functions of the program's files in the x86-64 half, and of their resume clones,
# against the functions of the same files compiled by clang alone; the C library is in neither. Build
# time: processor time of all compilers and linkers, from source to bundle, against clang's from source to object.
need drover-cc
no_args
runs=${runs:-3}
level=-O3
clang=$(configured CLANG)
nm=$(command -v llvm-nm-19 || echo nm)

TIMEFORMAT='%3U %3S'
# seconds COMMAND...: its processor time, children and all
seconds() {
	local t
	t=$({ time "$@" >"$work/size.out" 2>&1; } 2>&1) || die "$1 failed: $(head -1 "$work/size.out")"
	awk -v t="$t" 'BEGIN {split(t, s, " "); printf "%.3f\n", s[1] + s[2]}'
}

# own_code FILE NAMES: bytes of the functions named, and of their clones
own_code() {
	"$nm" -t d -S --defined-only "$1" | awk -v names="$2" '
		BEGIN {while ((getline n < names) > 0) own[n] = 1}
		NF == 4 && tolower($3) == "t" {
			f = $4; clone = sub(/\.resume$/, "", f)
			if (f in own) sum[clone] += $2
		}
		END {print sum[0] + 0, sum[1] + 0}'
}

plain_objects() {
	local s
	for s in "${sources[@]}"; do
		"$clang" --target=x86_64-linux-musl -std=gnu17 $level -fno-pic -fno-pie -ffunction-sections -D_GNU_SOURCE \
			-ffp-contract=off -I"$top" -nostdlibinc -isystem "$DROVER_LIBDIR/sysroot/x86_64/include" -c "$s" \
			-o "$work/size.$(basename "$s").o" || return 1
	done
}

drover_bundle() {
	"$build/drover-cc" -std=gnu17 $level -D_GNU_SOURCE -I"$top" "${sources[@]}" -lm -o "$work/size.bundle"
}

# measure NAME: appends "NAME plain own clones ratio plain_s drover_s ratio" to $work/size.all
measure() {
	local name=$1 i s own clones plain p d
	: >"$work/size.p"
	: >"$work/size.d"
	for ((i = 0; i < runs; i++)); do
		seconds plain_objects >>"$work/size.p"
		seconds drover_bundle >>"$work/size.d"
	done
	for s in "${sources[@]}"; do
		"$nm" -t d -S --defined-only "$work/size.$(basename "$s").o"
	done | awk 'NF == 4 && tolower($3) == "t" {print $4}' >"$work/size.names"
	plain=0
	for s in "${sources[@]}"; do
		read -r own clones < <(own_code "$work/size.$(basename "$s").o" "$work/size.names")
		plain=$((plain + own))
	done
	read -r own clones < <(own_code "$work/size.bundle" "$work/size.names")
	p=$(median <"$work/size.p")
	d=$(median <"$work/size.d")
	awk -v n="$name" -v c="$plain" -v o="$own" -v r="$clones" -v p="$p" -v d="$d" \
		'BEGIN {printf "%s %d %d %d %.2f %.3f %.3f %.2f\n", n, c, o, r, (o + r) / c, p, d, d / p}' |
		tee -a "$work/size.all" | { [ "$json" = yes ] && cat >/dev/null ||
			awk '{printf "%-15s %7d %7d %7d   %5s   %7s s %7s s   %5s\n", $1, $2, $3, $4, $5, $6, $7, $8}'; }
}

: >"$work/size.all"
say "$level, x86-64; code in bytes, processor time of a build, medians of $runs"
say "$(printf '%-15s %7s %7s %7s   %5s   %9s %9s   %5s' program plain drover clones ratio plain drover ratio)"
npb=$top/workloads/npb
for name in ep is cg mg ft; do
	wanted "$name" || continue
	sources=("$npb/$name"/*.c)
	for s in "$npb"/common/*.c; do
		[[ $s == *team_pthread.c ]] || sources+=("$s")
	done
	measure "$name"
done
for source in "$top"/bench/programs/*.c; do
	name=$(basename "$source" .c)
	wanted "$name" || continue
	sources=("$source")
	measure "$name"
done
[ -s "$work/size.all" ] || die "no such program: ${only[*]}"
awk -v json="$json" '
	{ t += log($5); b += log($8)
	  item = item (NR > 1 ? ", " : "") sprintf("{\"program\": \"%s\", \"plain_bytes\": %d, \"drover_bytes\": %d, \"clone_bytes\": %d, \"text_ratio\": %s, \"build_ratio\": %s}", $1, $2, $3, $4, $5, $8) }
	END {
		if (json == "yes")
			printf "{\"programs\": [%s], \"geometric_mean\": {\"text\": %.3f, \"build\": %.3f}}\n", item, exp(t / NR), exp(b / NR)
		else
			printf "geometric mean of code %.2f, of build time %.2f\n", exp(t / NR), exp(b / NR)
	}' "$work/size.all"
