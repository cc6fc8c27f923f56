#!/bin/zsh
# From the help desk wiki: restarts the sound system when Zoom finds no microphone.
echo "Restarting the audio service. You are asked for your password."
sudo killall coreaudiod
sleep 2
system_profiler SPAudioDataType | grep -A3 "Default Input Device"
echo "Done. Start Zoom again and test the microphone under Settings > Audio."
read -k 1 "?Press any key to close this window."
