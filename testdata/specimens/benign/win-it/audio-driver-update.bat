@echo off
rem installs the headset driver from the software share
title Headset driver
echo Updating the audio driver, please wait ...
pnputil /add-driver \\files.corp.example.com\drivers\headset\*.inf /install
if errorlevel 1 (
  echo The driver could not be installed. Call the help desk: 4711
  pause
  exit /b 1
)
echo Done.
