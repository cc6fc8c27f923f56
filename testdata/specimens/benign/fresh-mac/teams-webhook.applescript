-- tells the Teams channel that the stand-up begins
set hook to do shell script "cat ~/.config/standup-hook"
do shell script "curl -s -H 'Content-Type: application/json' -d '{\"text\":\"Stand-up begins\"}' " & quoted form of hook
