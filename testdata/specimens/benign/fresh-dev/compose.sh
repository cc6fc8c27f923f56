#!/usr/bin/env bash
# one-line start of our own BigBlueButton test machine
wget -qO- https://raw.githubusercontent.com/bigbluebutton/bbb-install/v3.0.x-release/bbb-install.sh | bash -s -- -v jammy-300 -s bbb-test.example.org -e admin@example.org
