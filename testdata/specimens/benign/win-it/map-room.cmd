@echo off
setlocal enabledelayedexpansion
set ROOM=%1
if "%ROOM%"=="" set ROOM=boardroom
for /f "tokens=1,2 delims=," %%a in (rooms.csv) do (
  if /i "%%a"=="%ROOM%" set URL=%%b
)
start "" "!URL!"
endlocal
