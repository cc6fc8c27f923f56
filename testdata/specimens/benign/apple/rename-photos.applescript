tell application "Finder"
	set theItems to selection
	set n to 1
	repeat with f in theItems
		set ext to name extension of f
		set name of f to "holiday-" & text -3 thru -1 of ("000" & n) & "." & ext
		set n to n + 1
	end repeat
end tell
