#!/bin/bash
# Intune shell script for macOS: Microsoft Teams, run as root, once a week
appname="Microsoft Teams"
weburl="https://go.microsoft.com/fwlink/?linkid=2249065"
logdir="/Library/Logs/Microsoft/IntuneScripts/$appname"
mkdir -p "$logdir"
exec >>"$logdir/install.log" 2>&1
echo "$(date) | starting"
until [ "$(pgrep -x Dock)" ]; do echo "waiting for the desktop"; sleep 10; done
tempdir=$(mktemp -d)
curl -f -s --connect-timeout 30 --retry 5 --retry-delay 60 -L -o "$tempdir/app.pkg" "$weburl" || { echo "download failed"; exit 1; }
installer -pkg "$tempdir/app.pkg" -target /
status=$?
rm -rf "$tempdir"
echo "$(date) | installer ended with $status"
exit $status
