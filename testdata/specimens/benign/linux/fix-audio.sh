#!/bin/bash
# restarts PipeWire when the microphone is silent in Zoom meetings
systemctl --user restart pipewire pipewire-pulse wireplumber
sleep 2
pactl list short sources
for card in $(pactl list short cards | cut -f2); do
  pactl set-card-profile "$card" output:analog-stereo+input:analog-stereo || true
done
echo "Microphone is ready. Please rejoin the meeting."
