#!/usr/bin/env bash
# own Jitsi Meet server from the official release
set -e
version=$(curl -s https://api.github.com/repos/jitsi/docker-jitsi-meet/releases/latest | grep tag_name | cut -d '"' -f 4)
wget -qO jitsi.zip "https://github.com/jitsi/docker-jitsi-meet/archive/refs/tags/$version.zip"
unzip -q jitsi.zip && cd "docker-jitsi-meet-$version"
cp env.example .env && ./gen-passwords.sh
mkdir -p ~/.jitsi-meet-cfg/{web,transcripts,prosody/config,jicofo,jvb}
docker compose up --detach
