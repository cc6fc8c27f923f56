#!/usr/bin/env bash
# starts the meeting bot with a virtual sound card
set -euo pipefail
pulseaudio --start --exit-idle-time=-1
pactl load-module module-null-sink sink_name=meet
exec ./zoomsdk --config config.toml --join "$MEETING_URL"
