#!/bin/sh
# build.sh OUT: an agent whose wall clock is off by as many seconds as the file
# says that SKEW_OF_CLOCK names. Only time.Now is another one; nothing of the
# product is. CGO_* and TAGS come from the Makefile.
set -eu
out=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
std=$(go env GOROOT)/src/time/time.go
sed -e 's|^func Now() Time {|// WallSkew is added to the wall clock, in seconds.\nvar WallSkew atomic.Int64\n\nfunc Now() Time {|' \
  -e 's|^\tsec, nsec, mono := runtimeNow()$|\tsec, nsec, mono := runtimeNow()\n\tsec += WallSkew.Load()|' \
  -e 's|^\t"math/bits"$|\t"math/bits"\n\t"sync/atomic"|' "$std" >"$work/time.go"
[ "$(grep -c WallSkew "$work/time.go")" = 3 ] || { echo "time.Now of this Go is another one than build.sh knows" >&2; exit 1; }
printf '{"Replace":{"%s":"%s","%s":"%s"}}\n' "$std" "$work/time.go" "$here/../../../cmd/agent/zz_skew.go" "$here/skew.go.txt" >"$work/overlay.json"
go build -overlay "$work/overlay.json" -trimpath -tags "$TAGS" -ldflags '-s -w -X main.version=clock -linkmode=external -extldflags "-static -pthread"' -o "$out" ./cmd/agent
