(*
  Opens the Zoom link of the next event in the calendar "Work".
  Bound to a key in Raycast.
*)
tell application "Calendar"
	set rightNow to current date
	set theEvents to every event of calendar "Work" whose start date > rightNow and start date < rightNow + 15 * minutes
	if theEvents is {} then return
	set d to description of item 1 of theEvents
end tell
set u to do shell script "echo " & quoted form of d & " | grep -Eo 'https://([a-z0-9]+\\.)?zoom\\.us/j/[0-9]+[^ ]*' | head -1"
if u is not "" then open location u
