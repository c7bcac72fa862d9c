# tools/bench size; sourced by it.
# summary: the machine code of finished programs, against plain clang with the same C library
#
# Of the x86-64 half and of plain clang's static program, both with what is not used left out: all executable
# sections, and of these what comes from the program's own files, with landing pads and resume clones, by the
# linkers' maps. Packages as their makefiles build them, the others at -O3.
no_args
need drover-cc
. "$top/bench/plain.bash"
[ "$isa" = x86_64 ] || die "size: the sizes compared are those of x86-64"
readelf=$(command -v llvm-readelf-19 || command -v readelf) || die "size: llvm-readelf is missing"
ar=$(configured LLVM_AR)

plain_cc "$work/plain-cc"
keep=$work/size.keep
cat >"$work/keep-cc" <<SCRIPT
#!/bin/sh
exec $build/drover-cc --keep=$keep "\$@"
SCRIPT
chmod +x "$work/keep-cc"
# The C library's own modules among those of a program.
"$ar" t "$DROVER_LIBDIR/sysroot/libdrover-calls.a" | sed 's/\.[a-z]*$/.c/' >"$work/size.library"

# For awk: a hexadecimal number's value.
hex='function hex(s, v, i) {for (i = 1; i <= length(s); i++) v = v * 16 + index("123456789abcdef", substr(s, i, 1)); return v + 0}'

# executable FILE: bytes of its executable sections.
executable() {
	"$readelf" -SW "$1" | awk "$hex"'match($0, /\] /) {
		n = split(substr($0, RSTART + 2), f, " ")
		if (f[7] ~ /X/) sum += hex(f[5])
	} END {print sum + 0}'
}

# own MAP FILES: bytes of text and of clones that come from files the regular expression matches.
own() {
	awk -v files="$2" "$hex"'
		match($5, /:\(\.text[^)]*\)$/) {
			file = substr($5, 1, RSTART - 1)
			if (file !~ files || (file in library)) next
			if ($5 ~ /:\(\.text\.cold\./) cold += hex($3); else hot += hex($3)
		}
		FILENAME == "-" {library[$1] = 1}
		END {print hot + 0, cold + 0}' - "$1"
}

# library_modules: objects of the kept build that are the C library's.
library_modules() {
	local o source
	for o in "$keep"/x86_64/m*.o; do
		source=$("$readelf" -s "$o" | awk '$4 == "FILE" {print $8; exit}')
		grep -qxF "${source##*/}" "$work/size.library" && echo "$o"
	done
}

small() {
	"$1" -std=gnu17 -O3 -D_GNU_SOURCE -I"$top" "${sources[@]}" -lm -o "$2"
}

# measure NAME: appends "NAME whole plain, drover, ratio; own plain, hot, clones, ratio" to $work/size.all
measure() {
	local name=$1 plain=$work/size.plain drover=$work/size.drover hot cold own
	rm -rf "$keep" && mkdir -p "$keep"
	if [[ " ${packages[*]} " == *" $name "* ]]; then
		unpack "$name" "$work/size.tree"
		build_package "$name" "$work/size.tree" "$work/plain-cc" >"$work/size.log" 2>&1 || die "$name: clang failed"
		cp "$work/size.tree/$program" "$plain" && cp "$work/size.tree/$program.map" "$plain.map"
		unpack "$name" "$work/size.tree"
		build_package "$name" "$work/size.tree" "$work/keep-cc" >"$work/size.log" 2>&1 || die "$name: drover-cc failed"
		cp "$work/size.tree/$program" "$drover"
	else
		small "$work/plain-cc" "$plain" >"$work/size.log" 2>&1 || die "$name: clang failed"
		small "$work/keep-cc" "$drover" >"$work/size.log" 2>&1 || die "$name: drover-cc failed"
	fi
	read -r own _ < <(own "$plain.map" '^.*$' < <(awk '{print $5}' "$plain.map" | sed -n 's/:(.*//p' |
		grep -E '/(crt1\.o|libc\.a\(.*|libgcc\.a\(.*)$|^<' | sort -u))
	read -r hot cold < <(own "$keep/map.x86_64" '/x86_64/m[0-9]+\.o$' < <(library_modules))
	echo "$name $(executable "$plain") $(executable "$drover") $own $hot $cold" |
		awk '{printf "%s %d %d %.2f %d %d %d %.2f\n", $1, $2, $3, $3 / $2, $4, $5, $6, ($5 + $6) / $4}' |
		tee -a "$work/size.all" | { [ "$json" = yes ] && cat >/dev/null ||
			awk '{printf "%-15s %8d %8d %6s   %8d %8d %8d %6s\n", $1, $2, $3, $4, $5, $6, $7, $8}'; }
}

: >"$work/size.all"
say "bytes of machine code, x86-64: the whole program, and what comes from its own files"
say "$(printf '%-15s %8s %8s %6s   %8s %8s %8s %6s' program plain drover ratio plain drover clones ratio)"
for name in "${packages[@]}" "${kernels[@]}"; do
	wanted "$name" || continue
	[[ " ${packages[*]} " == *" $name "* ]] || kernel_sources "$name"
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
	{ w += log($4); o += log($8); if ($4 > ww) ww = $4; if ($8 > wo) wo = $8
	  item = item (NR > 1 ? ", " : "") sprintf("{\"program\": \"%s\", \"whole\": {\"plain\": %d, \"drover\": %d, \"ratio\": %s}, \"own\": {\"plain\": %d, \"drover\": %d, \"clones\": %d, \"ratio\": %s}}", $1, $2, $3, $4, $5, $6, $7, $8) }
	END {
		if (json == "yes")
			printf "{\"programs\": [%s], \"geometric_mean\": {\"whole\": %.3f, \"own\": %.3f}, \"worst\": {\"whole\": %s, \"own\": %s}}\n", item, exp(w / NR), exp(o / NR), ww, wo
		else
			printf "geometric means: whole %.2f, own %.2f; worst %.2f and %.2f\n", exp(w / NR), exp(o / NR), ww, wo
	}' "$work/size.all"
