#!/bin/zsh
# swiftDialog while the first programs are installed
dialog=/usr/local/bin/dialog
$dialog --title "Welcome" --message "Your Mac is being prepared. Zoom, Teams and Slack are installed now." --progress 3 &
for label in zoom microsoftteams slack; do
  /usr/local/Installomator/Installomator.sh $label BLOCKING_PROCESS_ACTION=ignore NOTIFY=silent
  echo "progress: increment" >> /var/tmp/dialog.log
done
