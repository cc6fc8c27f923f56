#!/bin/bash
# 05-same.sh: the same source gives the same bytes, wherever it lies. Every target
# in dist is built again, from a copy of the source in another folder, with the
# same version; libyara is compiled again too. Zero bytes may differ.
#
# DIST is the folder that `make dist` made.
set -euo pipefail
cd "$(dirname "$0")/../.."
dist=$(realpath "${DIST:-dist}")
copy=$(mktemp -d "${TMPDIR:-/tmp}/meetguard-again.XXXXXX")
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C "$copy"
mkdir -p "$copy/build"
[ ! -d build/zig ] || cp -r build/zig "$copy/build/" # a tool: 350 MB are not fetched twice
echo 'module build' >"$copy/build/go.mod"
set -a
# shellcheck source=/dev/null
. "$dist/build-info"
set +a
targets=$(cd "$dist"; ls -d linux-* windows-* darwin-* 2>/dev/null || true)
# shellcheck disable=SC2086 # a list of words
YARA_TARBALL=$PWD/build/dist-work/yara.tar.gz "$copy/scripts/dist.sh" "$copy/out" $targets
n=0
for target in $targets; do
  for file in "$dist/$target"/*; do
    cmp "$file" "$copy/out/$target/$(basename "$file")" || { echo "05-same.sh: FAILED: $file differs" >&2; exit 1; }
    n=$((n + 1))
  done
done
cmp "$dist/LICENSES.txt" "$copy/out/LICENSES.txt"
[ "$n" -ge 4 ] || { echo "05-same.sh: FAILED: only $n files were compared" >&2; exit 1; }
echo "05-same.sh: passed: $n files of ${targets//$'\n'/ } are the same, byte by byte"
