#!/bin/bash
# 05-same.sh: the same source gives the same bytes, wherever it lies, whenever it
# is built and by whom. Every target in dist is built again with the same version:
# from a copy of the source in another folder, by another user's name, in another
# zone of time. libyara and the project's own packages are compiled again; what
# Go has compiled of its library and of modules, which lie where they lay, is used
# again. Zero bytes may differ.
#
# DIST is the folder that `make dist` made.
set -euo pipefail
cd "$(dirname "$0")/../.."
dist=$(realpath "${DIST:-dist}")
copy=$(mktemp -d "${TMPDIR:-/tmp}/meetguard-again.XXXXXX")
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C "$copy"
# A comment at the end of a file changes no byte of a program, and has Go compile
# its package again.
find "$copy" -name '*.go' -not -path '*/testdata/*' -exec sh -c 'for f; do printf "\n// again\n" >>"$f"; done' sh {} +
mkdir -p "$copy/build"
[ ! -d build/zig ] || ln -s "$PWD/build/zig" "$copy/build/zig" # a tool: 350 MB are not fetched twice
echo 'module build' >"$copy/build/go.mod"
set -a
# shellcheck source=/dev/null
. "$dist/build-info"
set +a
targets=$(cd "$dist"; ls -d linux-* windows-* darwin-* 2>/dev/null || true)
GOCACHE=$(go env GOCACHE) GOMODCACHE=$(go env GOMODCACHE) YARA_TARBALL=$PWD/build/dist-work/yara.tar.gz
export GOCACHE GOMODCACHE YARA_TARBALL
# shellcheck disable=SC2086 # a list of words
(umask 077; USER=somebody LOGNAME=somebody HOSTNAME=elsewhere TZ=Asia/Seoul LC_ALL=C.UTF-8 "$copy/scripts/dist.sh" "$copy/out" $targets)
n=0 other=0
for target in $targets; do
  for file in "$dist/$target"/*; do
    cmp "$file" "$copy/out/$target/$(basename "$file")" || other=$((other + 1))
    n=$((n + 1))
  done
done
[ "$other" = 0 ] || { echo "05-same.sh: FAILED: $other of $n files differ" >&2; exit 1; }
cmp "$dist/LICENSES.txt" "$copy/out/LICENSES.txt"
[ "$n" -ge 4 ] || { echo "05-same.sh: FAILED: only $n files were compared" >&2; exit 1; }
echo "05-same.sh: passed: $n files of ${targets//$'\n'/ } are the same, byte by byte"
