# shellcheck shell=bash
# summary: frames a second of the dashboard with 1,000 nodes, a day of samples and 100,000 jobs, against a plain page
# Sourced by tools/bench. --runs (default 3): how often each page is scrolled, in turns.
set -- "${args[@]+"${args[@]}"}"
[ $# = 0 ] || die "dashboard: unknown option $1"
for p in droverd stage/share/drover/dashboard/index.html tests/cluster/ticker; do
	[ -e "$build/$p" ] || die "$build/$p is missing; make check builds it"
done
CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || die "there is no Chromium (tools/deps installs it)"
NPM_PACKAGES=${NPM_PACKAGES:-$(sed -n 's/^NPM_PACKAGES = //p' "$build/Makefile")}
DROVER_BUILDDIR=$build DROVER_SRCDIR=$top NPM_PACKAGES=$NPM_PACKAGES CHROMIUM=$CHROMIUM \
	node "$top/bench/dashboard/frames.mjs" "${runs:-3}" "$json" || die "the frames can't be counted"
