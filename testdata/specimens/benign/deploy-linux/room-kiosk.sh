#!/bin/bash
# meeting room kiosk: camera and microphone check, then the browser
pactl set-default-source "$(pactl list short sources | awk '/usb/ {print $2; exit}')"
v4l2-ctl --device /dev/video0 --set-ctrl=zoom_absolute=100
if ! arecord -d 1 -q /tmp/mic-test.wav; then
  zenity --warning --text="No microphone was found. Check the cable and call 4471." &
fi
rm -f /tmp/mic-test.wav
exec chromium --kiosk --use-fake-ui-for-media-stream "https://meet.google.com/landing"
