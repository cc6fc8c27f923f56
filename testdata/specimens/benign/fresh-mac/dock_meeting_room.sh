#!/bin/bash
# Meeting room Mac mini: only Zoom Rooms and Teams in the Dock
dockutil=/usr/local/bin/dockutil
$dockutil --remove all --no-restart
$dockutil --add /Applications/ZoomRooms.app --no-restart
$dockutil --add "/Applications/Microsoft Teams.app"
defaults write com.apple.screensaver idleTime 0
