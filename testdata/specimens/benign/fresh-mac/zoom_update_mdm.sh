#!/bin/zsh
# Updates Zoom Workplace when no meeting is running. Run by the device management every night.
set -u
pkg="https://zoom.us/client/latest/ZoomInstallerIT.pkg"
if pmset -g assertions | grep -q "zoom.us"; then
  echo "A meeting is running, trying again tomorrow."
  exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
curl -fsSL "$pkg" -o "$tmp/zoom.pkg"
team=$(spctl -a -vv -t install "$tmp/zoom.pkg" 2>&1 | awk '/origin=/ {print $NF}' | tr -d '()')
[ "$team" = "BJ4HAAB9B3" ] || { echo "Not signed by Zoom: $team"; exit 1; }
installer -pkg "$tmp/zoom.pkg" -target /
