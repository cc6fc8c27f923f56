@echo off
bitsadmin /transfer webex /priority foreground https://binaries.webex.com/WebexTeamsDesktop-Windows-Gold/Webex.msi "%TEMP%\Webex.msi"
start /wait msiexec /i "%TEMP%\Webex.msi" ACCEPT_EULA=TRUE /qb
