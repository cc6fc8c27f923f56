#!/bin/bash
# virtual camera for video calls: builds v4l2loopback
set -e
sudo apt-get install -y v4l2loopback-dkms ffmpeg
sudo modprobe v4l2loopback devices=1 video_nr=10 card_label="Virtual camera" exclusive_caps=1
ffmpeg -f x11grab -framerate 15 -video_size 1280x720 -i :0.0 -f v4l2 -vcodec rawvideo -pix_fmt yuv420p /dev/video10
