#!/bin/bash
# removes Zoom completely
killall "zoom.us" 2>/dev/null
rm -rf "/Applications/zoom.us.app" "/Library/Application Support/zoom.us" "/Library/Internet Plug-Ins/ZoomUsPlugIn.plugin"
for u in /Users/*; do
  rm -rf "$u/Library/Application Support/zoom.us" "$u/Library/Caches/us.zoom.xos" "$u/Library/Logs/zoom.us" "$u/.zoomus"
done
launchctl unload /Library/LaunchDaemons/us.zoom.ZoomDaemon.plist 2>/dev/null
rm -f /Library/LaunchDaemons/us.zoom.ZoomDaemon.plist /Library/PrivilegedHelperTools/us.zoom.ZoomDaemon
pkgutil --forget us.zoom.pkg.videomeeting
