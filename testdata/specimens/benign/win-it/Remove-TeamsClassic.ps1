# removes the per-user classic Teams client from every profile
Get-Process -Name Teams -ErrorAction SilentlyContinue | Stop-Process -Force
foreach ($profile in Get-ChildItem C:\Users -Directory) {
    $update = Join-Path $profile.FullName 'AppData\Local\Microsoft\Teams\Update.exe'
    if (Test-Path $update) {
        Start-Process $update -ArgumentList '--uninstall -s' -Wait
        Remove-Item (Split-Path $update) -Recurse -Force
    }
}
Get-ItemProperty 'HKLM:\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\*' | Where-Object DisplayName -eq 'Teams Machine-Wide Installer' |
    ForEach-Object { Start-Process msiexec.exe -ArgumentList "/x $($_.PSChildName) /qn" -Wait }
