@echo off
rem Computer start-up script: installs the agent once, silently.
rem Let Domain Computers read the share, and nobody but administrators write there.
set SHARE=\\server\meetguard$
set COLLECTOR=https://collector.example:8443
sc query meetguard >nul 2>&1 && exit /b 0
set /p TOKEN=<"%SHARE%\token.txt"
msiexec /i "%SHARE%\meetguard.msi" /qn COLLECTOR=%COLLECTOR% TOKEN=%TOKEN%
