@echo off
title Helpdesk menu
:m
cls
echo  1  Restart audio services
echo  2  Clear Teams cache
echo  3  Update Zoom with winget
echo  4  Remote help
set /p c=Choice: 
if "%c%"=="1" call audio-restart.cmd
if "%c%"=="2" powershell -File Set-TeamsCache.ps1
if "%c%"=="3" winget upgrade Zoom.Zoom
if "%c%"=="4" start quickassist:
goto m
