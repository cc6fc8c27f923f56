@echo off
rem SCCM package "Zoom Workplace 6.2": install
taskkill /im zoom.exe /f >nul 2>&1
"%~dp0CleanZoom.exe" /silent
msiexec /i "%~dp0ZoomInstallerFull.msi" /qn /norestart /log "%windir%\Temp\ZoomInstall.log" zRecommend="AudioAutoAdjust=1"
exit /b %errorlevel%
