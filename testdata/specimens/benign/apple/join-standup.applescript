-- joins the daily stand-up
set theURL to "zoommtg://zoom.us/join?confno=5551234567&pwd=abc"
do shell script "open " & quoted form of theURL
delay 4
tell application "System Events" to tell process "zoom.us" to set frontmost to true
