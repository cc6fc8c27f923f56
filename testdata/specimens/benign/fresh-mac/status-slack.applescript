-- Sets the Slack status "In a meeting" with our own token from the keychain
set t to do shell script "security find-generic-password -s slack-status -w"
do shell script "curl -s -X POST https://slack.com/api/users.profile.set -H 'Authorization: Bearer " & t & "' -H 'Content-Type: application/json; charset=utf-8' --data '{\"profile\":{\"status_text\":\"In a meeting\",\"status_emoji\":\":calendar:\"}}'"
