#!/bin/bash
# OBS as a camera for Zoom and Teams on Linux
set -e
sudo apt-get install -y obs-studio v4l2loopback-dkms
sudo modprobe v4l2loopback exclusive_caps=1 card_label="OBS Virtual Camera"
echo "Start OBS, press 'Start Virtual Camera', then choose it in the meeting."
