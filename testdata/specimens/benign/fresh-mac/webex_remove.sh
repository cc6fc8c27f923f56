#!/bin/sh
# Removes the old Webex Meetings client, leaves the Webex app alone
pkill -x "Cisco Webex Meetings" || true
rm -rf "/Applications/Cisco Webex Meetings.app" "$HOME/Library/Application Support/WebEx Folder"
pkgutil --pkgs | grep -i '^com.cisco.webex.meeting' | xargs -n1 -r pkgutil --forget
