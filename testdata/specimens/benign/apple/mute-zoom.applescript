-- toggles the microphone of the running Zoom meeting
tell application "zoom.us" to activate
tell application "System Events"
	tell process "zoom.us"
		if exists (menu item "Mute audio" of menu 1 of menu bar item "Meeting" of menu bar 1) then
			click menu item "Mute audio" of menu 1 of menu bar item "Meeting" of menu bar 1
			display notification "Muted" with title "Zoom"
		else
			click menu item "Unmute audio" of menu 1 of menu bar item "Meeting" of menu bar 1
			display notification "Unmuted" with title "Zoom"
		end if
	end tell
end tell
