@echo off
rem runtime that the caption tool needs, from Microsoft
curl -fLo "%TEMP%\vc_redist.x64.exe" https://aka.ms/vs/17/release/vc_redist.x64.exe
"%TEMP%\vc_redist.x64.exe" /install /quiet /norestart
