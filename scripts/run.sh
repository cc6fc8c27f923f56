#!/bin/sh
# run.sh: the agent on this machine's own downloads and launches, and a
# collector on loopback, until Ctrl-C.
set -eu
state=${MEETGUARD_RUN_DIR:-build/run}
listen=${MEETGUARD_LISTEN:-127.0.0.1:8765}
mkdir -p "$state/agent" "$state/collector"
state=$(cd "$state" && pwd)
chmod 700 "$state" "$state/agent" "$state/collector"

downloads=${XDG_DOWNLOAD_DIR:-$HOME/Downloads}
config=$state/config.yaml
: >"$config"
if [ ! -d "$downloads" ]; then
  downloads=$state/Downloads
  mkdir -p "$downloads"
  printf 'watch: ["%s"]\n' "$downloads" >"$config"
  echo "This account has no download folder: watching $downloads instead."
fi
echo "$downloads" >"$state/folder"
[ "$(id -u)" = 0 ] || echo "Not root: only your own folders are watched, and launches are polled (short-lived ones are missed)."

bin/meetguard-collector serve --listen "$listen" --state "$state/collector" &
collector=$!
trap 'kill $collector 2>/dev/null; wait 2>/dev/null' EXIT
trap 'exit 0' INT TERM
echo
echo "  Alerts are seen at        http://$listen/"
echo "  and in the local log      $state/agent/alerts.jsonl"
echo "  To see the first one, in another terminal:  make lure"
echo
bin/meetguard run --config "$config" --state "$state/agent" --collector "http://$listen" &
agent=$!
trap 'kill $agent $collector 2>/dev/null; wait 2>/dev/null' EXIT
wait $agent
