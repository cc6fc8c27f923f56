@echo off
wscript "%~dp0\update.vbs"
powershell Expand-Archive a.zip b
