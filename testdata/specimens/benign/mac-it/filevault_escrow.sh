#!/bin/bash
# Asks the user for the login password once and sends a new FileVault recovery
# key to the management server (the key goes through the MDM profile, not here).
jamfHelper="/Library/Application Support/JAMF/bin/jamfHelper.app/Contents/MacOS/jamfHelper"
userName=$(stat -f%Su /dev/console)
userID=$(id -u "$userName")

"$jamfHelper" -windowType utility -title "IT Security" -heading "FileVault" -description "Your Mac needs a new recovery key. Please enter your password in the next window." -button1 "Continue" -defaultButton 1

userPass=$(launchctl asuser "$userID" sudo -u "$userName" osascript -e 'display dialog "Please enter the password you use to log in to your Mac" default answer "" with title "IT Security" with text buttons {"OK"} default button 1 with hidden answer' -e 'return text returned of result')

tries=1
until dscl /Search -authonly "$userName" "$userPass" &>/dev/null; do
  tries=$((tries + 1))
  [ $tries -gt 5 ] && exit 1
  userPass=$(launchctl asuser "$userID" sudo -u "$userName" osascript -e 'display dialog "That did not match. Please try again" default answer "" with hidden answer buttons {"OK"} default button 1' -e 'return text returned of result')
done

expect <<EXP
log_user 0
spawn fdesetup changerecovery -personal
expect "Enter the user name:"
send "$userName\r"
expect "Enter the password for user"
send "$userPass\r"
expect eof
EXP
unset userPass
jamf recon
