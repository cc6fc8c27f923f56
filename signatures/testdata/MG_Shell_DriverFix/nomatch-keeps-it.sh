#!/bin/sh
# camera driver archive
curl -o /tmp/cam.zip https://vendor.example.invalid/cam.zip
unzip -l /tmp/cam.zip
