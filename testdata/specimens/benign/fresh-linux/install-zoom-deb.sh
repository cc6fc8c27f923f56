#!/bin/bash
set -e
cd "$(mktemp -d)"
wget -q https://zoom.us/client/latest/zoom_amd64.deb https://zoom.us/linux/download/pubkey
gpg --import pubkey && dpkg-sig --verify zoom_amd64.deb
sudo apt-get install -y ./zoom_amd64.deb
