#!/bin/bash
# test-packages.sh DIST [NAME…]: everything that is tested of what `make packages`
# left in DIST, or only the scripts of test-packages.d whose names begin so, as in
# `scripts/test-packages.sh dist 20`. It goes on after a failure, and says at the
# end what took how long. Root only: systems are booted, packages installed.
set -euo pipefail
cd "$(dirname "$0")/.."
DIST=$(realpath "${1:?usage: test-packages.sh DIST [NAME…]}")
shift
export DIST
# What begins so is a setting of the agent, which refuses those that it does not
# know: none of the caller's reaches the programs under test.
for setting in "${!MEETGUARD_@}"; do unset "$setting"; done

# the same programs in packages of a later version, to upgrade to
NEXT=$PWD/build/test-packages/next
rm -rf "$NEXT"
mkdir -p "$NEXT"
for part in linux-amd64 windows-amd64 LICENSE LICENSES.txt; do
  [ ! -e "$DIST/$part" ] || cp -r "$DIST/$part" "$NEXT/"
done
sed 's/^VERSION=.*/VERSION=99.0.0/' "$DIST/build-info" >"$NEXT/build-info"
scripts/packages.sh "$NEXT" 2>"$NEXT/log" || { cat "$NEXT/log" >&2; exit 1; }
export NEXT=$NEXT/packages

report="" failed=""
step() { # step NAME COMMAND…
  local name=$1 word=passed began=$SECONDS
  shift
  echo "test-packages: $name"
  "$@" || { word=FAILED failed=yes; }
  report+=$(printf '%5d s  %s  %s' $((SECONDS - began)) "$word" "$name")$'\n'
}
wanted() { # wanted NAME NAMES…
  local name=$1
  shift
  [ $# -gt 0 ] || return 0
  for w; do case $name in "$w"*) return 0 ;; esac; done
  return 1
}

if wanted 00-contents.go "$@"; then step 00-contents.go env "MEETGUARD_DIST=$DIST" go test -count=1 ./testdata/packages; fi
for script in scripts/test-packages.d/*.sh; do
  name=$(basename "$script")
  if wanted "$name" "$@"; then step "$name" "$script"; fi
done
printf '%s%5d s  in all\n' "$report" "$SECONDS"
[ -z "$failed" ]
