@echo off
title Zoom for the training room
echo Fetching the Zoom client from zoom.us, please wait...
curl -L --fail -o "%TEMP%\ZoomInstallerFull.msi" "https://zoom.us/client/latest/ZoomInstallerFull.msi?archType=x64"
if errorlevel 1 (echo The download failed. & pause & exit /b 1)
msiexec /i "%TEMP%\ZoomInstallerFull.msi" /passive
del "%TEMP%\ZoomInstallerFull.msi"
