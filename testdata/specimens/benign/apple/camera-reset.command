#!/bin/bash
# the camera is black in calls: restart the camera service
sudo killall VDCAssistant AppleCameraAssistant
echo "Camera service restarted. Please rejoin the meeting."
