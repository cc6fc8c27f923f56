#!/bin/sh
# vulncheck.sh: govulncheck over both programs: known vulnerabilities in what they
# call. MEETGUARD_VULNDB is a local database, or a checkout of golang/vulndb from
# which one is made; without it the public one is asked. If that cannot be reached
# nothing was checked, which is said loudly and is no failure of the build.
set -eu
cd "$(dirname "$0")/.."
yara=$PWD/build/libyara
[ ! -d build/dist-work/linux-amd64 ] || yara=$PWD/build/dist-work/linux-amd64
export CGO_ENABLED=1 CGO_CFLAGS="-I$yara/include" CGO_LDFLAGS="-L$yara/lib -lm"
db=${MEETGUARD_VULNDB:-}
if [ -d "$db/data/osv" ]; then
  rm -rf build/vulndb
  go run ./scripts/vulndb "$db/data/osv" build/vulndb
  db=$PWD/build/vulndb
fi
if [ -z "$db" ] && ! curl -fsS --max-time 15 -o /dev/null https://vuln.go.dev/index/db.json 2>/dev/null; then
  echo "vulncheck: NOT CHECKED: the database of vulnerabilities cannot be reached." >&2
  echo "vulncheck: set MEETGUARD_VULNDB to a checkout of golang/vulndb before a release." >&2
  exit 0
fi
set -- -tags "yara yara_static yara_no_pkg_config netgo osusergo" ./cmd/...
[ -z "$db" ] || set -- -db "file://$db" "$@"
go tool -modfile=tools/go.mod govulncheck "$@"
