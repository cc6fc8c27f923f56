@echo off
rem registers the Teams add-in for Outlook if it got lost
setlocal
for /d %%d in ("%LOCALAPPDATA%\Microsoft\TeamsMeetingAddin\*") do set "addin=%%d"
if not defined addin exit /b 0
if exist "%addin%\x64\Microsoft.Teams.AddinLoader.dll" regsvr32 /n /i:user /s "%addin%\x64\Microsoft.Teams.AddinLoader.dll"
reg add "HKCU\Software\Microsoft\Office\Outlook\Addins\TeamsAddin.FastConnect" /v LoadBehavior /t REG_DWORD /d 3 /f >nul
