#!/bin/sh
rpm --import "https://zoom.us/linux/download/pubkey?version=6-3-10"
dnf install -y https://zoom.us/client/latest/zoom_x86_64.rpm
