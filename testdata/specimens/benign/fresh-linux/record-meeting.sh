#!/bin/bash
# records screen and sound of a meeting (ask everybody first)
out=~/Videos/meeting-$(date +%F-%H%M).mkv
ffmpeg -f x11grab -i "$DISPLAY" -f pulse -i default -c:v libx264 -preset veryfast "$out"
