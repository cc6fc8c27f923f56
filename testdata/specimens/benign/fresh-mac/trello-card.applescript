-- makes a card for each action item of the meeting
set t to text returned of (display dialog "Action item:" default answer "")
set k to do shell script "security find-generic-password -s trello -w"
do shell script "curl -s -X POST 'https://api.trello.com/1/cards' --data-urlencode name=" & quoted form of t & " -d idList=5abc -d key=" & k
