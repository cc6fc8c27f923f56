#!/bin/bash
# webcam freezes after a call: reload the driver, as the wiki says
sudo rmmod uvcvideo && sudo modprobe uvcvideo quirks=2
v4l2-ctl --list-devices
