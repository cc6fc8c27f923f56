#!/bin/zsh
# Installs or updates Zoom on managed Macs. Run by the management agent as root.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
appName="zoom.us.app"
expectedTeamID="BJ4HAAB9B3"
downloadURL="https://zoom.us/client/latest/ZoomInstallerIT.pkg"
tmpDir=$(mktemp -d)
cleanup() { rm -rf "$tmpDir"; }
trap cleanup EXIT

log() { echo "$(date '+%F %T') : $1" | tee -a /var/log/install_zoom.log; }

consoleUser=$(stat -f%Su /dev/console)
uid=$(id -u "$consoleUser")

if pgrep -x "zoom.us" >/dev/null; then
  answer=$(launchctl asuser "$uid" osascript -e 'button returned of (display dialog "Zoom needs to be updated. Quit Zoom now?" buttons {"Not now", "Quit and update"} default button 2 with title "IT Support" giving up after 300)')
  [ "$answer" = "Quit and update" ] || { log "user chose not now"; exit 10; }
  osascript -e 'tell application "zoom.us" to quit'
  sleep 5
fi

log "Downloading Zoom"
if ! curl -fL --silent --show-error "$downloadURL" -o "$tmpDir/zoom.pkg"; then
  log "download failed"; exit 2
fi
teamID=$(spctl -a -vv -t install "$tmpDir/zoom.pkg" 2>&1 | awk '/origin=/ {print $NF}' | tr -d '()')
if [ "$teamID" != "$expectedTeamID" ]; then
  log "Team ID $teamID is not $expectedTeamID"; exit 5
fi
installer -pkg "$tmpDir/zoom.pkg" -target / -verboseR
log "Zoom is up to date"
launchctl asuser "$uid" osascript -e 'display notification "Zoom was updated" with title "IT Support"'
exit 0
