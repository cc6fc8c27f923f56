-- Quits noisy programs before a meeting




-- programs that play sound
set noisy to {"Music", "TV", "Spotify", "VLC"}

repeat with p in noisy
	if application p is running then tell application p to quit
end repeat



tell application "System Events" to set volume input volume 70
display notification "Ready for the meeting" with title "Quiet"
