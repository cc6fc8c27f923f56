#!/bin/bash
# The camera is shown as "in use" after a crash of a call
sudo killall VDCAssistant AppleCameraAssistant 2>/dev/null
echo "Camera reset. Open your meeting again."
