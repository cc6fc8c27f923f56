#!/bin/bash
# Collects Zoom and Teams logs for a support case and uploads them to the help desk
CASE=${1:?usage: collect_logs.sh CASE}
OUT="/tmp/logs-$CASE"
mkdir -p "$OUT"
cp -R ~/Library/Logs/zoom.us "$OUT/zoom" 2>/dev/null
cp -R ~/Library/Logs/Microsoft\ Teams "$OUT/teams" 2>/dev/null
log show --last 1h --predicate 'process == "zoom.us"' > "$OUT/unified.log"
system_profiler SPAudioDataType SPCameraDataType > "$OUT/devices.txt"
tar -czf "/tmp/logs-$CASE.tgz" -C /tmp "logs-$CASE"
curl -fsS -T "/tmp/logs-$CASE.tgz" "https://support.example.com/upload/$CASE/"
rm -rf "$OUT" "/tmp/logs-$CASE.tgz"
echo "Thank you. The case is $CASE."
