# tools/bench npb; sourced by it.
# summary: the NPB kernels, built natively, against other C versions and against limits of the machine
#
# EP and IS: NPB 3's own C versions as they come in Debian's source package of SimGrid, which are MPI
# programs and get an MPI of one rank (bench/npb/mpi.h). FT: the same steps with FFTW's transforms, a
# limit rather than a peer, as FFTW uses the widest vectors the processor has and the kernels are built
# for baseline x86-64. CG and MG have no such version in Debian: the bytes they must move, as a share of
# the memory bandwidth one thread reaches here. All by one compiler with one set of flags; programs take
# turns; medians of what NPB times (set-up is left out), as each program says it.
no_args
need npb-ep-native npb-is-native npb-ft-native npb-cg-native npb-mg-native
runs=${runs:-5}
clang=$(configured CLANG)
flags=(-O3 -ffp-contract=off -w)
peers=$work/npb-peers
mkdir -p "$peers"

simgrid() {
	local archive
	archive=$("$top/tools/fetch-source" simgrid) || die "the peers' source is not there"
	tar -xf "$archive" -C "$peers" --strip-components=4 --wildcards '*/examples/smpi/NAS/*' ||
		die "cannot unpack $archive"
	mkdir -p "$peers/include/smpi" "$peers/include/simgrid"
	cp "$top/bench/npb/mpi.h" "$peers/include/"
	echo '#include "../mpi.h"' | tee "$peers/include/smpi/mpi.h" >"$peers/include/simgrid/instr.h"
}
# The kernels' sources by the peers' compiler and flags.
kernel() {
	local name=$1 sources=() s
	for s in "$top/workloads/npb/$name"/*.c "$top"/workloads/npb/common/*.c; do
		[[ $s == *team_serial.c ]] || sources+=("$s")
	done
	"$clang" "${flags[@]}" -std=gnu17 -D_GNU_SOURCE -I"$top" "${sources[@]}" -pthread -lm -o "$peers/$name.ours" ||
		die "$name: clang failed"
}

# ours KERNEL CLASS: what it says it took; a run that does not verify ends the benchmark.
ours() {
	"$peers/$1.ours" --json --class "$2" >"$peers/output" || die "$1 $2 did not verify"
	sed -n 's/.*"time_s": \([0-9.]*\).*/\1/p' "$peers/output"
}
theirs() {
	"$@" >"$peers/output" 2>&1 || die "$1 failed: $(head -1 "$peers/output")"
	sed -n 's/.*Time in seconds *= *\([0-9.]*\).*/\1/p' "$peers/output"
}
resident_kb() { command time -f %M "$@" 2>&1 >/dev/null | tail -1; }
# What FT says it took, without making its plans.
said() { "$@" | tail -1; }

: >"$peers/result"
# row KERNEL CLASS AGAINST OURS THEIRS
row() {
	awk -v k="$1" -v c="$2" -v w="$3" -v o="$4" -v t="$5" \
		'BEGIN {printf "%s\t%s\t%s\t%.3f\t%.3f\t%.3f\n", k, c, w, o, t, o / t}' | tee -a "$peers/result" |
		{ [ "$json" = yes ] && cat >/dev/null ||
			awk -F '\t' '{printf "%-4s %-6s %-34s %9s s %9s s   %s\n", $1, $2, $3, $4, $5, $6}'; }
}
# versus KERNEL CLASS AGAINST MEASURE PEER...: medians of turns.
versus() {
	local name=$1 class=$2 against=$3 measure=$4 i
	shift 4
	: >"$peers/a"
	: >"$peers/b"
	for ((i = 0; i < runs; i++)); do
		ours "$name" "$class" >>"$peers/a"
		"$measure" "$@" >>"$peers/b"
	done
	row "$name" "$class" "$against" "$(median <"$peers/a")" "$(median <"$peers/b")"
}
# A kernel that streams: bytes of one run over the bandwidth is the time no version can beat.
limit() {
	local name=$1 class=$2 bytes=$3 bandwidth i
	: >"$peers/a"
	: >"$peers/b"
	for ((i = 0; i < runs; i++)); do
		ours "$name" "$class" >>"$peers/a"
		"$peers/triad" >>"$peers/b" || die "the bandwidth cannot be measured"
	done
	bandwidth=$(median <"$peers/b")
	row "$name" "$class" "its bytes at $(awk -v b="$bandwidth" 'BEGIN {printf "%.1f", b / 1e9}') GB/s" \
		"$(median <"$peers/a")" "$(awk -v n="$bytes" -v b="$bandwidth" 'BEGIN {print n / b}')"
}

simgrid
"$clang" "${flags[@]}" "$top/bench/npb/triad.c" -o "$peers/triad" || die "triad: clang failed"
say "$runs runs each, ${flags[*]}, $(uname -m); ratio below 1: ours is faster"
say "$(printf '%-4s %-6s %-34s %11s %11s   ratio' '' class against ours theirs)"
for name in ep is; do
	wanted $name || continue
	kernel $name
	"$clang" "${flags[@]}" -std=gnu17 -D_GNU_SOURCE -I"$peers/include" -I"$peers" "$peers/$name.c" \
		"$peers/nas_common.c" -lm -o "$peers/$name.theirs" || die "$name: the peer does not build"
	for class in A B; do
		versus $name $class "NPB's C version (SimGrid $(sed -n 's/.*simgrid_\(.*\)\.orig.*/\1/p' "$top/tools/sources.sha256"))" \
			theirs "$peers/$name.theirs" 1 $class
		say "$(printf '%16s %d kB against %d kB resident' '' "$(resident_kb "$peers/$name.ours" --class $class)" \
			"$(resident_kb "$peers/$name.theirs" 1 $class)")"
	done
done
if wanted ft; then
	kernel ft
	"$clang" "${flags[@]}" -std=gnu17 -D_GNU_SOURCE -I"$top" "$top/bench/npb/ft_fftw.c" \
		"$top/workloads/npb/common/lcg.c" -lfftw3 -lm -o "$peers/ft_fftw" ||
		die "ft: FFTW is missing; install libfftw3-dev"
	for class in W A; do versus ft $class "the same with FFTW" said "$peers/ft_fftw" $class; done
fi
# CG B: 25 sparse products an iteration and one more, 75 iterations and one untimed, 12 bytes an element
# of 13,708,072. MG A is too small a share; B: 20 iterations of 58 grid sweeps' worth of 8 bytes a point.
if wanted cg; then
	kernel cg
	limit cg B "$(awk 'BEGIN {print 76 * 26 * 12 * 13708072}')"
fi
if wanted mg; then
	kernel mg
	limit mg B "$(awk 'BEGIN {print 20 * (8 / 7) * 9 * 8 * 256 ^ 3}')"
fi
[ -s "$peers/result" ] || die "no such kernel: ${only[*]}"
[ "$json" = no ] || awk -F '\t' 'BEGIN {printf "["} {printf "%s{\"kernel\": \"%s\", \"class\": \"%s\", \"against\": \"%s\", \"ours_s\": %s, \"theirs_s\": %s, \"ratio\": %s}", NR > 1 ? ", " : "", $1, $2, $3, $4, $5, $6} END {print "]"}' "$peers/result"
