#!/bin/sh
# No sound in Zoom: restart the sound server
systemctl --user restart pipewire pipewire-pulse wireplumber 2>/dev/null || { pulseaudio -k; pulseaudio --start; }
pactl info | grep 'Default S'
