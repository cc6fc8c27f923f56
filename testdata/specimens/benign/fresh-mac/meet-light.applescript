-- Zoom update of the door light: red while a meeting runs
repeat
	set busy to (do shell script "pmset -g assertions | grep -c zoom.us || true") as integer
	do shell script "curl -s -X PUT http://192.168.4.20/api/room/lights/1/state -d '{\"on\":" & (busy > 0) & "}'"
	delay 30
end repeat
