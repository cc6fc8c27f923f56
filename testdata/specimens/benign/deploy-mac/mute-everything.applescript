-- bound to a key: mutes whichever meeting client is in front
tell application "System Events"
	if exists (process "zoom.us") then
		tell process "zoom.us"
			if exists menu item "Mute audio" of menu "Meeting" of menu bar 1 then click menu item "Mute audio" of menu "Meeting" of menu bar 1
		end tell
	else if exists (process "MSTeams") then
		tell process "MSTeams" to keystroke "m" using {command down, shift down}
	end if
end tell
do shell script "afplay /System/Library/Sounds/Pop.aiff"
