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

bin/meetguard-collector serve --listen "$listen" --state "$state/collector" >"$state/collector/first-start.new" &
collector=$!
trap 'kill $collector 2>/dev/null; wait 2>/dev/null' EXIT
trap 'exit 0' INT TERM

# The first start prints the line that enrols agents; at a later one this
# machine's agent is enrolled already.
i=0
until [ -s "$state/collector/first-start.new" ] || [ -f "$state/agent/device.json" ] || [ $i -ge 100 ]; do sleep 0.1; i=$((i + 1)); done
if [ ! -f "$state/agent/device.json" ]; then
  line=$(sed -n 's/.*meetguard enroll //p' "$state/collector/first-start.new")
  [ -n "$line" ] || line=$(bin/meetguard-collector token create --state "$state/collector" --uses 1 --url "https://$listen" | sed 's/^meetguard enroll //')
  # shellcheck disable=SC2086 # two words: the address and the token
  bin/meetguard enroll $line --state "$state/agent"
fi
rm -f "$state/collector/first-start.new"
echo
echo "  Alerts are seen at        https://$listen/  (its certificate is its own: the browser will ask)"
[ ! -f "$state/collector/first-login.txt" ] || sed 's/^/  log in with               /' "$state/collector/first-login.txt"
echo "  and in the local log      $state/agent/alerts.jsonl"
echo "  To see the first one, in another terminal:  make lure"
echo
bin/meetguard run --config "$config" --state "$state/agent" --collector "https://$listen" &
agent=$!
trap 'kill $agent $collector 2>/dev/null; wait 2>/dev/null' EXIT
wait $agent
