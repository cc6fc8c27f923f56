#!/bin/sh
# CI: fetches the current Zoom Meeting SDK sample and builds our bot
set -eu
git clone --depth 1 https://github.com/zoom/meetingsdk-linux-raw-recording-sample.git sdk
cd sdk
npm ci
cmake -B build -S . && cmake --build build
echo "Zoom SDK updated, bot built"
