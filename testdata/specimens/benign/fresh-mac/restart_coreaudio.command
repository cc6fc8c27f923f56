#!/bin/zsh
# No sound in Zoom or Teams after sleep? This restarts Core Audio.
echo "Restarting Core Audio, please enter your Mac password if asked."
sudo launchctl kickstart -kp system/com.apple.audio.coreaudiod
echo "Done. Rejoin the meeting."
