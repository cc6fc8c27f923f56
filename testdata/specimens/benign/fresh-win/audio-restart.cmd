@echo off
rem no sound in meetings: restart the audio services
net session >nul 2>&1 || (powershell -c "Start-Process '%~f0' -Verb RunAs" & exit /b)
net stop audiosrv /y
net stop AudioEndpointBuilder /y
net start audiosrv
echo Sound is back. Rejoin the meeting.
pause
