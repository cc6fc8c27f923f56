-- keeps the status of Microsoft Teams at available while a build runs
repeat
	do shell script "caffeinate -u -t 5"
	tell application "Microsoft Teams" to activate
	delay 240
end repeat
