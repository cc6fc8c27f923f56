#!/bin/sh
# vulncheck.sh [DIST]: govulncheck over what both programs call, as they are built
# for each system. Of the programs in DIST (dist, if it is there) it checks that
# they hold the modules that were looked at, and no others: they are stripped, and
# of a stripped program govulncheck can only say which modules it holds. libyara is
# C, of which the database of Go knows nothing.
#
# MEETGUARD_VULNDB is a local database, or a checkout of golang/vulndb from which
# one is made; without it the public one is asked. If that cannot be reached
# nothing was checked, which is said loudly and is no failure of the build.
set -eu
cd "$(dirname "$0")/.."
dist=${1:-dist}
db=${MEETGUARD_VULNDB:-}
say() { echo "vulncheck: $*" >&2; }
if [ -d "$db/data/osv" ]; then
  rm -rf build/vulndb
  go run ./scripts/vulndb "$db/data/osv" build/vulndb
  db=$PWD/build/vulndb
fi
if [ -z "$db" ] && ! curl -fsS --max-time 15 -o /dev/null https://vuln.go.dev/index/db.json 2>/dev/null; then
  say "NOT CHECKED: the database of vulnerabilities cannot be reached."
  say "set MEETGUARD_VULNDB to a checkout of golang/vulndb before a release."
  exit 0
fi
mkdir -p build
check=$PWD/build/govulncheck
go build -modfile=tools/go.mod -o "$check" golang.org/x/vuln/cmd/govulncheck
[ -z "$db" ] || check="$check -db file://$db"

yara=$PWD/build/libyara
[ ! -d build/dist-work/linux-amd64 ] || yara=$PWD/build/dist-work/linux-amd64
say "source, linux"
CGO_ENABLED=1 CGO_CFLAGS="-I$yara/include" CGO_LDFLAGS="-L$yara/lib -lm" \
  $check -tags "yara yara_static yara_no_pkg_config netgo osusergo" ./cmd/...
for system in windows darwin; do # without go-yara, which is the same as in linux
  say "source, $system"
  CGO_ENABLED=0 GOOS=$system $check -tags "netgo osusergo" ./cmd/...
done
modules=$(mktemp)
trap 'rm -f "$modules"' EXIT
go list -m -f '{{.Path}} {{.Version}}' all | LC_ALL=C sort >"$modules"
n=0
for program in "$dist"/*-*/meetguard "$dist"/*-*/meetguard.exe "$dist"/*-*/meetguard-collector "$dist"/*-*/meetguard-collector.exe; do
  [ -f "$program" ] || continue
  other=$(go version -m "$program" | awk '$1 == "dep" {print $2, $3} $1 == "=>" {print "replaced by", $2}' | LC_ALL=C sort | comm -23 - "$modules")
  [ -z "$other" ] || { say "FAILED: $program holds modules that were not looked at: $other"; exit 1; }
  [ "$(go version "$program" | sed 's/.*: //')" = "$(go env GOVERSION)" ] || { say "FAILED: $program was built by $(go version "$program")"; exit 1; }
  n=$((n + 1))
done
say "nothing known in what the source calls for 3 systems, and $n programs hold its modules"
