# tools/bench npb; sourced by it.
# summary: the NPB kernels, built natively, against other C versions and against limits of the machine
#
# EP and IS: NPB 3's own C versions as they come in Debian's source package of SimGrid, which are MPI
# programs and get an MPI of one rank (bench/npb/mpi.h). FT: the same steps with the transforms of FFTW's
# C sources, without its vector units' codelets. CG and MG: their steps written down plainly
# (bench/npb/cg_peer.c, mg_peer.c). All these are built by one compiler with one set of flags. Beyond what is
# comparable: CG's sparse product by librsb, FT with the FFTW the system has, with the widest vectors of the
# processor for both, and how far CG and MG are from the time their bytes take at the memory's bandwidth.
# Programs take turns; medians of the processor time of what NPB times (set-up is left out).
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
# FFTW's C sources by the same compiler, as a static library; made once.
fftw_plain() {
	local archive lib=$peers/fftw/.libs/libfftw3.a
	[ ! -e "$lib" ] || { echo "$lib"; return; }
	archive=$("$top/tools/fetch-source" fftw3) || die "the peers' source is not there"
	rm -rf "$peers/fftw" && mkdir "$peers/fftw" && tar -xf "$archive" -C "$peers/fftw" --strip-components=1 &&
		(cd "$peers/fftw" && ./configure -q --disable-fortran --disable-doc CC="$clang" CFLAGS="${flags[*]}" &&
			make -s -j"$(nproc)") >"$peers/fftw.log" 2>&1 || die "FFTW does not build; see $peers/fftw.log"
	echo "$lib"
}
common=()
for s in "$top"/workloads/npb/common/*.c; do [[ $s == *team_serial.c ]] || common+=("$s"); done
# compile OUTPUT ARGUMENT...: with what the kernels share, telling processor time.
compile() {
	local out=$1
	shift
	"$clang" "${flags[@]}" -std=gnu17 -D_GNU_SOURCE -I"$top" "$@" "${common[@]}" "$top/bench/npb/cpu_clock.c" \
		-Wl,--wrap=npb_now -pthread -lm -o "$peers/$out" || die "$out: clang failed"
}
# kernel NAME [FLAG]: the kernel as NAME.ours
kernel() { compile "$1.ours${2+-wide}" "${@:2}" "$top/workloads/npb/$1"/*.c; }

# ours PROGRAM CLASS: what it says it took; a run that does not verify ends the benchmark.
ours() {
	"$peers/$1" --json --class "$2" >"$peers/output" || die "$1 $2 did not verify"
	sed -n 's/.*"time_s": \([0-9.]*\).*/\1/p' "$peers/output"
}
theirs() {
	"$@" >"$peers/output" 2>&1 || die "$1 failed: $(head -1 "$peers/output")"
	sed -n 's/.*Time in seconds *= *\([0-9.]*\).*/\1/p' "$peers/output"
}
resident_kb() { command time -f %M "$@" 2>&1 >/dev/null | tail -1; }
# The last line a peer of bench/npb says.
said() {
	"$@" >"$peers/output" || die "$1 failed"
	tail -1 "$peers/output"
}

: >"$peers/result"
# row KERNEL CLASS AGAINST OURS THEIRS
row() {
	awk -v k="$1" -v c="$2" -v w="$3" -v o="$4" -v t="$5" \
		'BEGIN {printf "%s\t%s\t%s\t%.3f\t%.3f\t%.3f\n", k, c, w, o, t, o / t}' | tee -a "$peers/result" |
		{ [ "$json" = yes ] && cat >/dev/null ||
			awk -F '\t' '{printf "%-4s %-6s %-34s %9s s %9s s   %s\n", $1, $2, $3, $4, $5, $6}'; }
}
# versus KERNEL CLASS AGAINST MEASURE PEER...: medians of turns. $variant is what ours is built as.
variant=ours
versus() {
	local name=$1 class=$2 against=$3 measure=$4 i
	shift 4
	: >"$peers/a"
	: >"$peers/b"
	for ((i = 0; i < runs; i++)); do
		ours "$name.$variant" "$class" >>"$peers/a"
		"$measure" "$@" >>"$peers/b"
	done
	row "$name" "$class" "$against" "$(median <"$peers/a")" "$(median <"$peers/b")"
}
# A kernel that streams: bytes of one run over the bandwidth is the time no version can beat. These runs are long.
limit() {
	local name=$1 class=$2 bytes=$3 bandwidth i runs=$(((runs + 2) / 3))
	: >"$peers/a"
	: >"$peers/b"
	for ((i = 0; i < runs; i++)); do
		ours "$name.$variant" "$class" >>"$peers/a"
		"$peers/triad" >>"$peers/b" || die "the bandwidth cannot be measured"
	done
	bandwidth=$(median <"$peers/b")
	row "$name" "$class" "its bytes at $(awk -v b="$bandwidth" 'BEGIN {printf "%.1f", b / 1e9}') GB/s" \
		"$(median <"$peers/a")" "$(awk -v n="$bytes" -v b="$bandwidth" 'BEGIN {print n / b}')"
}

"$clang" "${flags[@]}" "$top/bench/npb/triad.c" -o "$peers/triad" || die "triad: clang failed"
say "$runs runs each, ${flags[*]}, $(uname -m); ratio below 1: ours is faster"
say "$(printf '%-4s %-6s %-34s %11s %11s   ratio' '' class against ours theirs)"
{ wanted ep || wanted is; } && simgrid
for name in ep is; do
	wanted $name || continue
	kernel $name
	"$clang" "${flags[@]}" -std=gnu17 -D_GNU_SOURCE -I"$peers/include" -I"$peers" "$peers/$name.c" \
		"$peers/nas_common.c" -lm -o "$peers/$name.theirs" || die "$name: the peer does not build"
	for class in $([ $name = ep ] && echo W A || echo A B); do
		versus $name $class "NPB's C version (SimGrid $(sed -n 's/.*simgrid_\(.*\)\.orig.*/\1/p' "$top/tools/sources.sha256"))" \
			theirs "$peers/$name.theirs" 1 $class
		say "$(printf '%16s %d kB against %d kB resident' '' "$(resident_kb "$peers/$name.ours" --class $class)" \
			"$(resident_kb "$peers/$name.theirs" 1 $class)")"
	done
done
if wanted ft; then
	kernel ft
	kernel ft -march=native
	lib=$(fftw_plain) || exit 1
	compile ft.plain "$top/bench/npb/ft_fftw.c" "$lib"
	compile ft.system "$top/bench/npb/ft_fftw.c" -lfftw3
	for class in W A; do
		versus ft $class "the same with FFTW's C codelets" said "$peers/ft.plain" $class
		variant=ours-wide
		versus ft $class "both with the widest vectors" said "$peers/ft.system" $class
		variant=ours
	done
fi
# CG B: 25 sparse products an iteration and one more, 75 iterations and one untimed, 12 bytes an element
# of 13,708,072. MG A is too small a share; B: 20 iterations of 58 grid sweeps' worth of 8 bytes a point.
if wanted cg; then
	kernel cg
	peer=("$top/bench/npb/cg_peer.c" "$top"/workloads/npb/cg/{cg,makea}.c)
	compile cg.plain "${peer[@]}"
	compile cg.rsb -DWITH_RSB "${peer[@]}" -lrsb
	export OMP_NUM_THREADS=1
	for class in W A; do
		versus cg $class "the same written plainly" said "$peers/cg.plain" $class
		versus cg $class "the same with librsb's product" said "$peers/cg.rsb" $class
	done
	limit cg B "$(awk 'BEGIN {print 76 * 26 * 12 * 13708072}')"
fi
if wanted mg; then
	kernel mg
	compile mg.plain "$top/bench/npb/mg_peer.c" "$top"/workloads/npb/mg/{mg,grid}.c
	for class in W A; do versus mg $class "the same written plainly" said "$peers/mg.plain" $class; done
	limit mg B "$(awk 'BEGIN {print 20 * (8 / 7) * 9 * 8 * 256 ^ 3}')"
fi
[ -s "$peers/result" ] || die "no such kernel: ${only[*]}"
[ "$json" = no ] || awk -F '\t' 'BEGIN {printf "["} {printf "%s{\"kernel\": \"%s\", \"class\": \"%s\", \"against\": \"%s\", \"ours_s\": %s, \"theirs_s\": %s, \"ratio\": %s}", NR > 1 ? ", " : "", $1, $2, $3, $4, $5, $6} END {print "]"}' "$peers/result"
