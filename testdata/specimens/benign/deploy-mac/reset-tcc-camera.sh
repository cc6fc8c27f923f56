#!/bin/sh
# Asks for camera and microphone again: for users who clicked "Don't Allow".
for id in us.zoom.xos com.microsoft.teams2 Cisco-Systems.Spark com.google.Chrome; do
  tccutil reset Camera "$id"
  tccutil reset Microphone "$id"
  tccutil reset ScreenCapture "$id"
done
