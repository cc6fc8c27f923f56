-- New note with the title of the current meeting
set theTitle to "Meeting " & (do shell script "date +%Y-%m-%d")
tell application "Notes"
	tell account "iCloud"
		make new note at folder "Meetings" with properties {name:theTitle, body:"<h1>" & theTitle & "</h1><p>Attendees:</p><p>Decisions:</p>"}
	end tell
	activate
end tell
