#!/bin/sh
# fuzz.sh TIME: runs each fuzz target of this module for that long, and prints at
# the end how often each was executed. A target that finds something does not keep
# the others from running; the script fails then. The environment names what cgo
# needs, and TAGS.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build
table=build/fuzz.txt
: >"$table"
failed=0
for package in $(go list ./...); do
  for target in $(go test -tags "$TAGS" -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    if go test -tags "$TAGS" -run '^$' -fuzz "^$target\$" -fuzztime "$1" -fuzzminimizetime 1x "$package" >build/fuzz.log 2>&1; then
      found=
    elif grep -q '^    context deadline exceeded' build/fuzz.log && ! grep -q 'Failing input' build/fuzz.log; then
      found= # the time ended during an execution, which go test takes for a failure
    else
      found=FAILED failed=1
      cat build/fuzz.log
    fi
    executions=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' build/fuzz.log | tail -n 1)
    printf '%12s  %s %s %s\n' "${executions:-0}" "$package" "$target" "$found" | tee -a "$table"
  done
done
echo "executions in all: $(awk '{n += $1} END {printf "%d", n}' "$table"), of $(wc -l <"$table") targets"
exit $failed
