# Intune detection rule: is Zoom 6 or later there?
$exe = "$env:ProgramFiles\Zoom\bin\Zoom.exe"
if (Test-Path $exe) {
    $v = (Get-Item $exe).VersionInfo.FileVersionRaw
    if ($v -ge [version]'6.0.0.0') { Write-Output "Zoom $v"; exit 0 }
}
exit 1
