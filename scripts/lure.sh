#!/bin/sh
# lure.sh: drops the inert test lure into the folder that `make run` watches,
# as a browser would: under a temporary name, then renamed. It only looks like
# a lure: its host does not exist (RFC 2606, .invalid) and nothing runs it.
set -eu
folder=$(cat "${MEETGUARD_RUN_DIR:-build/run}/folder" 2>/dev/null) || { echo "start \`make run\` in another terminal first" >&2; exit 1; }
name="Zoom SDK Update.scpt"
tmp="$folder/Unconfirmed 4711.crdownload"
text=$(dirname "$0")/lure.applescript # not in here: this script is judged too, when it is run
{
  head -n 2 "$text"
  i=0
  while [ $i -lt 120 ]; do echo; i=$((i + 1)); done
  echo "-- meetguard test lure $(date +%s), inert"
  tail -n 1 "$text"
} >"$tmp"
mv "$tmp" "$folder/$name"
echo "dropped: $folder/$name"
echo "Look at https://${MEETGUARD_LISTEN:-127.0.0.1:8765}/ or: bin/meetguard alerts list --state ${MEETGUARD_RUN_DIR:-build/run}/agent"
echo "Remove the file when you are done; meetguard only observes."
