@echo off
setlocal
call "C:\Program Files\Microsoft Visual Studio\2022\Community\VC\Auxiliary\Build\vcvars64.bat"
if not exist build mkdir build
cd build
cmake -G Ninja -DCMAKE_BUILD_TYPE=Release .. || exit /b 1
ninja || exit /b 1
curl -fsSL -o nuget.exe https://dist.nuget.org/win-x86-commandline/latest/nuget.exe
nuget.exe restore ..\app.sln
powershell -NoProfile -ExecutionPolicy Bypass -File ..\scripts\pack.ps1 -Version %VERSION%
endlocal
