#!/bin/zsh
# First login: shows a list of what is installed, with swiftDialog.
apps=("Zoom|zoomclient|/Applications/zoom.us.app" "Microsoft Teams|microsoftteams|/Applications/Microsoft Teams.app" "Webex|webex|/Applications/Webex.app" "Slack|slack|/Applications/Slack.app")
dialog=/usr/local/bin/dialog
command=/var/tmp/dialog.log
$dialog --title "Setting up your Mac" --message "This takes about ten minutes." --progress ${#apps[@]} --button1disabled --commandfile $command &
for item in "${apps[@]}"; do
  name=${item%%|*}; rest=${item#*|}; label=${rest%%|*}; app=${item##*|}
  echo "listitem: add, title: $name, status: wait" >> $command
  [ -e "$app" ] || /usr/local/Installomator/Installomator.sh "$label" NOTIFY=silent BLOCKING_PROCESS_ACTION=ignore
  echo "listitem: title: $name, status: success" >> $command
  echo "progress: increment" >> $command
done
echo "button1: enable" >> $command
