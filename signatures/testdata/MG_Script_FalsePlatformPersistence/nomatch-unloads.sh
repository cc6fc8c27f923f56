launchctl load ~/Library/LaunchAgents/com.google.keystone.agent.plist
curl -s https://tools.example.invalid/
