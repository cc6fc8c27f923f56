#!/bin/sh
# postinstall_script of the Munki item Webex: settings for all users
/usr/bin/defaults write /Library/Preferences/com.webex.meetingmanager.plist AutoUpgrade -bool false
/bin/chmod 644 /Library/Preferences/com.webex.meetingmanager.plist
for home in /Users/*; do
  user=$(basename "$home")
  [ "$user" = Shared ] && continue
  /bin/launchctl asuser "$(id -u "$user")" /usr/bin/open -gj -a Webex
done
exit 0
