#!/bin/sh
# dist.sh OUT [TARGET…]: builds both programs for each target into OUT/TARGET,
# without the target named for all that this machine can build. The same source
# gives the same bytes, wherever the folder lies: `make test-packages` proves it.
#
# TARGET is linux-amd64, linux-arm64, windows-amd64, darwin-arm64 or darwin-amd64.
# VERSION and COMMIT say what goes into the programs, else git does.
# YARA_TARBALL is the source of libyara, else scripts/libyara.sh finds it.
set -eu
out=${1:?usage: dist.sh OUT [TARGET…]}
shift
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
# shellcheck source=scripts/version.sh
. "$here/version.sh"
say() { echo "dist: $*" >&2; }

native=$(uname -s)
[ $# -gt 0 ] || case $native in
  Darwin) set -- darwin-arm64 darwin-amd64 ;;
  *) set -- linux-amd64 linux-arm64 windows-amd64 darwin-arm64 darwin-amd64 ;;
esac

work=$PWD/build/dist-work
mkdir -p "$work" "$out"
out=$(cd "$out" && pwd)
source=$work/yara.tar.gz
"$here/libyara.sh" --source "$source"

tags="yara yara_static yara_no_pkg_config netgo osusergo"
# no build id: Go's names the flags, and with them the folder
flags="-s -w -buildid= -X main.version=$VERSION -X main.revision=$COMMIT"

# toolchain TARGET: sets GOOS, GOARCH, cc, ar and the flags of the linker
toolchain() {
  GOOS=${1%-*} GOARCH=${1#*-} suffix=
  case $1 in
    linux-amd64) cc=x86_64-linux-gnu-gcc ar=x86_64-linux-gnu-ar link="-static -pthread -Wl,--build-id=none" ;;
    linux-arm64) cc=aarch64-linux-gnu-gcc ar=aarch64-linux-gnu-ar link="-static -pthread -Wl,--build-id=none" ;;
    windows-amd64) cc=x86_64-w64-mingw32-gcc ar=x86_64-w64-mingw32-ar link="-static -Wl,--no-insert-timestamp" suffix=.exe ;;
    darwin-*)
      if [ "$native" = Darwin ]; then
        arch=$GOARCH
        [ "$arch" = arm64 ] || arch=x86_64
        cc="cc -arch $arch" ar=ar link=
      else
        cc="$here/zigcc.sh $GOARCH" ar="$here/zigcc.sh ar" link=
      fi
      ;;
    *) say "$1 is not a target"; exit 2 ;;
  esac
  export GOOS GOARCH
}

build() {
  toolchain "$1"
  say "$1: version $VERSION, commit $COMMIT"
  yara=$work/$1
  CC=$cc AR=$ar YARA_OS=$GOOS YARA_TARBALL=$source "$here/libyara.sh" "$yara"
  mkdir -p "$out/$1"
  CGO_ENABLED=1 CC=$cc CGO_CFLAGS="-O2 -I$yara/include" CGO_LDFLAGS="-L$yara/lib -lm" \
    go build -trimpath -buildvcs=false -tags "$tags" -ldflags "$flags -linkmode=external -extldflags '$link'" -o "$out/$1/meetguard$suffix" ./cmd/agent
  CGO_ENABLED=0 \
    go build -trimpath -buildvcs=false -tags "netgo osusergo" -ldflags "$flags" -o "$out/$1/meetguard-collector$suffix" ./cmd/collector
  parts "$1" >"$work/$1/parts"
}

# parts TARGET: what is in the agent and is not Go, for the bill of materials:
# name, version, licence, and where its text lies
parts() {
  tar -xzOf "$source" --wildcards '*/COPYING' >"$work/$1/COPYING.yara"
  printf 'libyara\t%s\tBSD-3-Clause\t%s\n' "$(cat "$yara/version")" "$work/$1/COPYING.yara"
  gcc=$($cc -dumpversion 2>/dev/null || echo unknown)
  case $1 in
    linux-*)
      libc=$(printf '#include <features.h>\n__GLIBC__ __GLIBC_MINOR__\n' | $cc -E -P - | tail -n 1 | tr ' ' .)
      printf 'glibc\t%s\tLGPL-2.1-or-later\t%s\n' "$libc" /usr/share/doc/libc6/copyright
      printf 'libgcc\t%s\tGPL-3.0-or-later WITH GCC-exception-3.1\t%s\n' "$gcc" /usr/share/doc/libgcc-s1/copyright
      ;;
    windows-*)
      printf 'mingw-w64\t%s\tZPL-2.1\t%s\n' "$(printf '#include <_mingw.h>\n__MINGW64_VERSION_MAJOR\n' | $cc -E -P - | tail -n 1)" /usr/share/doc/mingw-w64-common/copyright
      printf 'libgcc\t%s\tGPL-3.0-or-later WITH GCC-exception-3.1\t%s\n' "$gcc" /usr/share/doc/gcc-mingw-w64-base/copyright
      ;;
  esac
}

# papers: bills of materials, licences, checksums
papers() {
  programs=
  for target; do
    for program in "$out/$target"/meetguard "$out/$target"/meetguard-collector "$out/$target"/*.exe; do
      [ ! -f "$program" ] || programs="$programs $program"
    done
    cp "$work/$target/parts" "$out/$target/parts"
  done
  # shellcheck disable=SC2086 # a list of files
  go run ./scripts/sbom -licenses "$out/LICENSES.txt" $programs
  for target; do rm -f "$out/$target/parts"; done # it names folders of this machine
  cp LICENSE "$out/"
  (cd "$out" && find . -type f ! -name SHA256SUMS ! -path './packages/*' | sed 's,^\./,,' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
}

for target; do
  (build "$target")
done
# what the packages are named after, and what makes the same bytes again
printf 'VERSION=%s\nCOMMIT=%s\nSOURCE_DATE_EPOCH=%s\n' "$VERSION" "$COMMIT" "$SOURCE_DATE_EPOCH" >"$out/build-info"
papers "$@"
say "ready: version $VERSION in $out"
