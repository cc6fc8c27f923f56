#!/bin/bash
# Reissues the FileVault recovery key. The password goes to fdesetup only.
user=$(stat -f %Su /dev/console)
pw=$(sudo -u "$user" osascript -e 'text returned of (display dialog "Your company needs a new recovery key for this Mac. Please enter the password that you use to log in." default answer "" with hidden answer with title "IT Service" buttons {"OK"} default button 1)')
if ! dscl /Search -authonly "$user" "$pw"; then
  osascript -e 'display alert "The password is wrong."'
  exit 1
fi
fdesetup changerecovery -personal -inputplist <<P
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>Username</key><string>$user</string><key>Password</key><string>$pw</string></dict></plist>
P
