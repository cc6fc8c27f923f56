@echo off
rem installs Chocolatey as its site describes, then our list
powershell -NoProfile -ExecutionPolicy Bypass -Command "[System.Net.ServicePointManager]::SecurityProtocol = 3072; iex ((New-Object System.Net.WebClient).DownloadString('https://community.chocolatey.org/install.ps1'))"
"%ALLUSERSPROFILE%\chocolatey\bin\choco" install -y zoom microsoft-teams-new-bootstrapper webex
