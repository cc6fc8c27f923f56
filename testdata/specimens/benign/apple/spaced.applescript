-- tidy up the desktop
tell application "Finder"
	set theFiles to every file of desktop
end tell






























tell application "Finder"
	repeat with f in theFiles
		if name extension of f is "dmg" then delete f
	end repeat
end tell
