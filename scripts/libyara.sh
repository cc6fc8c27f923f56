#!/bin/sh
# libyara.sh PREFIX: makes sure that PREFIX/include and PREFIX/lib/libyara.a exist (libyara >= 4.5, static).
# libyara.sh --source FILE: makes sure that FILE is a source tarball of libyara that this build knows.
#
# 1. An installed libyara >= 4.3 that links statically is used as it is.
# 2. Else its source is compiled with the C compiler alone, from the first of
#    YARA_TARBALL=FILE, the system's own package manager (source package), the
#    upstream release. Whatever the way, the tarball's SHA-256 must be a known one.
#
# CC and AR choose a cross compiler; YARA_OS (linux, windows, darwin) its target.
set -eu

prefix=${1:?usage: libyara.sh PREFIX, or libyara.sh --source FILE}
source=
if [ "$prefix" = --source ]; then
  source=${2:?usage: libyara.sh --source FILE}
else
  mkdir -p "$prefix"
  prefix=$(cd "$prefix" && pwd)
fi
cc=${CC:-cc}
ar=${AR:-ar}
os=${YARA_OS:-linux}
say() { echo "libyara: $*" >&2; }
die() { say "$*"; exit 1; }

# version and SHA-256 of the source tarballs that are accepted
known='4.5.2 1f87056fcb10ee361936ee7b0548444f7974612ebb0e681734d8de7df055d1ec
4.5.8 c322414975ff6f701149856613afdcd92a7e6939c284c798ae3c85618197efaa'

if [ -f "$prefix/lib/libyara.a" ] && [ -f "$prefix/include/yara.h" ]; then exit 0; fi
# the first word alone: CC may hold flags
[ -n "$source" ] || command -v "${cc%% *}" >/dev/null || die "no C compiler: install one (Debian, Ubuntu: apt-get install gcc libc6-dev) and run make again"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

installed() {
  [ "$os" = linux ] && [ -z "${YARA_TARBALL:-}" ] && command -v pkg-config >/dev/null || return 1
  pkg-config --atleast-version=4.3 yara 2>/dev/null || return 1
  dir=$(pkg-config --variable=libdir yara)
  inc=$(pkg-config --variable=includedir yara)
  [ -f "$dir/libyara.a" ] || return 1
  printf '#include <yara.h>\nint main(void){return yr_initialize();}\n' >"$work/t.c"
  "$cc" -static -o "$work/t" "$work/t.c" -I"$inc" "$dir/libyara.a" -lm -pthread 2>/dev/null || return 1
  mkdir -p "$prefix/lib" "$prefix/include"
  cp "$dir/libyara.a" "$prefix/lib/"
  cp -r "$inc/yara.h" "$inc/yara" "$prefix/include/"
  say "using the installed libyara $(pkg-config --modversion yara)"
}

sum() { sha256sum "$1" 2>/dev/null | cut -d' ' -f1 || shasum -a 256 "$1" | cut -d' ' -f1; }
accept() { # accept FILE: is it one of the known tarballs?
  h=$(sum "$1")
  echo "$known" | grep -q " $h\$" || { say "$(basename "$1") has the unknown SHA-256 $h"; return 1; }
  version=$(echo "$known" | grep " $h\$" | cut -d' ' -f1)
  tarball=$1
}

from_apt() {
  command -v apt-get >/dev/null || return 1
  for src in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list.d/ubuntu.sources; do
    [ -f "$src" ] && break
  done
  [ -f "$src" ] || return 1
  for suite in trixie sid; do
    d=$work/apt-$suite
    mkdir -p "$d/lists/partial" "$d/cache/archives/partial"
    # the first stanza of the machine's own sources, as a source suite
    awk 'NF==0 && seen {exit} NF && !/^#/ {seen=1; print}' "$src" |
      sed -E "s/^Types:.*/Types: deb-src/; s/^Suites:.*/Suites: $suite/" >"$d/src.sources"
    set -- -qq -o Dir::Etc::sourcelist="$d/src.sources" -o Dir::Etc::sourceparts=- \
      -o Dir::State::Lists="$d/lists" -o Dir::Cache="$d/cache" -o APT::Get::List-Cleanup=0 -o APT::Sandbox::User=
    say "fetching the source package of yara ($suite) with apt"
    (cd "$d" && apt-get "$@" update && apt-get "$@" source --download-only yara) >"$d/log" 2>&1 || { tail -n 3 "$d/log" >&2; continue; }
    for f in "$d"/yara_*.orig.tar.gz; do
      [ -f "$f" ] && accept "$f" && return 0
    done
  done
  return 1
}

from_upstream() {
  command -v curl >/dev/null || return 1
  for v in 4.5.8 4.5.2; do
    say "fetching yara $v from its project"
    curl -fsSL --max-time 120 -o "$work/yara-$v.tar.gz" "https://github.com/VirusTotal/yara/archive/refs/tags/v$v.tar.gz" || continue
    accept "$work/yara-$v.tar.gz" && return 0
  done
  return 1
}

if [ -n "$source" ] && [ -f "$source" ] && accept "$source"; then exit 0; fi
if [ -z "$source" ] && installed; then exit 0; fi
if [ -n "${YARA_TARBALL:-}" ]; then
  accept "$YARA_TARBALL" || die "YARA_TARBALL is not a yara source tarball this build knows"
else
  from_apt || from_upstream || die "no libyara: install libyara-dev (>= 4.3), or set YARA_TARBALL to the source tarball of yara 4.5.2 or 4.5.8"
fi
if [ -n "$source" ]; then
  cp "$tarball" "$source.new"
  mv "$source.new" "$source"
  exit 0
fi

say "compiling yara $version for $os with $cc"
mkdir "$work/src"
tar -xzf "$tarball" -C "$work/src" --strip-components=1
cd "$work/src/libyara"
flags='-D_GNU_SOURCE -DDOTNET_MODULE -DMACHO_MODULE -DHAVE_STDBOOL_H=1 -DBUCKETS_128=1 -DCHECKSUM_1B=1 -O2 -std=gnu11 -fvisibility=hidden -w -I. -Iinclude'
case $os in
  linux) flags="$flags -DUSE_LINUX_PROC -DHAVE_TIMEGM=1 -DHAVE_CLOCK_GETTIME=1 -DHAVE_MEMMEM=1 -fPIC"; proc=linux ;;
  windows) flags="$flags -DUSE_WINDOWS_PROC"; proc=windows ;;
  darwin) flags="$flags -DUSE_NO_PROC -DHAVE_TIMEGM=1 -DHAVE_CLOCK_GETTIME=1 -DHAVE_MEMMEM=1 -DHAVE_STRLCPY=1 -DHAVE_STRLCAT=1"; proc=none ;;
  *) die "YARA_OS=$os is not one of linux, windows, darwin" ;;
esac
find * -name '*.c' | grep -v -E '^(modules/(cuckoo|magic|pb_tests|demo|dex|hash)/|modules/pe/authenticode-parser/|proc/)' >"$work/files"
echo "proc/$proc.c" >>"$work/files"
mkdir "$work/obj"
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# shellcheck disable=SC2016 # expanded by the inner shell
OBJ=$work/obj CC=$cc FLAGS=$flags xargs -P "$jobs" -n 1 sh -c \
  'exec $CC $FLAGS -c "$1" -o "$OBJ/$(echo "$1" | tr / _).o"' sh <"$work/files"
# shellcheck disable=SC2086 # AR may be two words, as in "zig ar"
LC_ALL=C $ar rcs "$work/libyara.a" "$work"/obj/*.o
mkdir -p "$prefix/lib" "$prefix/include"
cp include/yara.h "$prefix/include/"
cp -r include/yara "$prefix/include/"
echo "$version" >"$prefix/version"
mv "$work/libyara.a" "$prefix/lib/libyara.a"
say "ready: yara $version in $prefix"
