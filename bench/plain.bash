# Plain clang with the same version of the C library; sourced by the benchmarks that compare with it.

clang=$(configured CLANG)
isa=$(uname -m)

# The same C library without Drover's changes, built by the same compiler, once.
stock_musl() {
	local archive dir=$work/musl
	[ ! -f "$dir/stamp" ] || return 0
	archive=$(configured MUSL_SOURCE)
	say "building the plain C library from $archive (once)"
	rm -rf "$dir" "$work/musl-source"
	mkdir -p "$dir" "$work/musl-source"
	tar -xf "$archive" -C "$work/musl-source" --strip-components=1 || die "cannot unpack $archive"
	(cd "$work/musl-source" && CC=$clang AR=$(configured LLVM_AR) RANLIB=: \
		CFLAGS='-O2 -g0 -w -fno-pic -fno-pie -fno-stack-protector -ffp-contract=off' \
		./configure --prefix="$dir" --disable-shared --enable-static &&
		make -j"$(nproc)" install) >"$work/musl.log" 2>&1 ||
		{ tail -n 5 "$work/musl.log" >&2; die "the plain C library was not built; see $work/musl.log"; }
	touch "$dir/stamp"
}

# plain_cc FILE: makes FILE a compiler of static programs; a program's linker map lies beside it, NAME.map.
plain_cc() {
	local libgcc
	stock_musl
	libgcc=$(configured "LIBGCC_$(tr a-z A-Z <<<"$isa")")
	cat >"$1" <<SCRIPT
#!/bin/bash
flags=(--target=$isa-linux-musl -ffp-contract=off -fno-pic -fno-pie -ffunction-sections -fno-stack-protector -nostdlibinc
	-isystem $work/musl/include -Wno-unused-command-line-argument)
out=a.out
for ((i = 1; i <= \$#; i++)); do
	case \${!i} in
	-c | -E | -S | -M | -MM | --version | -v | -dump* | -print*) exec $clang "\${flags[@]}" "\$@" ;;
	-o) n=\$((i + 1)) out=\${!n} ;;
	esac
done
exec $clang "\${flags[@]}" -static -nostdlib -fuse-ld=$(configured LLD) -Wl,--gc-sections -Wl,-Map="\$out.map" -L$work/musl/lib \\
	$work/musl/lib/crt1.o "\$@" $work/musl/lib/libc.a $libgcc/libgcc.a $work/musl/lib/libc.a
SCRIPT
	chmod +x "$1"
}

# What is built: Debian's source packages, as tools/campaign has them, the NPB kernels, and small programs.
packages=(lua bzip2 zlib)
kernels=(ep is cg mg ft)

# unpack NAME DIR: a package's source, configured where that is needed.
unpack() {
	local archive package
	package=$(sed -n 's/^package=\([^ ]*\).*/\1/p' "$top/tests/campaign/$1")
	archive=$("$top/tools/fetch-source" "$package") || die "the source of $package cannot be had"
	rm -rf "$2" && mkdir -p "$2" && tar -xf "$archive" -C "$2" --strip-components=1 || die "cannot unpack $archive"
	[ "$1" != zlib ] || (cd "$2" && CC=$work/plain-cc ./configure --static) >"$work/configure.log" 2>&1 ||
		die "zlib cannot be configured; see $work/configure.log"
}

# build_package NAME DIR CC: `program` below DIR is what comes out.
build_package() {
	case $1 in
	lua) program=src/lua; make -C "$2/src" CC="$3" MYCFLAGS="-std=gnu99 -DLUA_USE_POSIX" MYLDFLAGS= lua ;;
	bzip2) program=bzip2; make -C "$2" CC="$3" bzip2 ;;
	zlib) program=minigzip; make -C "$2" CC="$3" minigzip ;;
	esac
}

# kernel_sources NAME: sets `sources`.
kernel_sources() {
	local s
	sources=("$top/workloads/npb/$1"/*.c)
	for s in "$top"/workloads/npb/common/*.c; do
		[[ $s == *team_pthread.c ]] || sources+=("$s")
	done
}
