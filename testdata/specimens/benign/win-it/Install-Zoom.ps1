# Zoom for Windows, machine wide, quiet. Intune Win32 app.
$ProgressPreference = 'SilentlyContinue'
$msi = Join-Path $env:TEMP 'ZoomInstallerFull.msi'
Invoke-WebRequest 'https://zoom.us/client/latest/ZoomInstallerFull.msi?archType=x64' -OutFile $msi
Start-Process msiexec.exe -ArgumentList "/i `"$msi`" /qn /norestart ZoomAutoUpdate=true ZNoDesktopShortCut=1" -Wait
Remove-Item $msi
if (Test-Path "$env:ProgramFiles\Zoom\bin\Zoom.exe") { exit 0 } else { exit 1 }
