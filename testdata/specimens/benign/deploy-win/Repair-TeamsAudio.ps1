# Help desk: Teams has no sound. Restarts the audio services and clears the device cache.
Write-Host 'Repairing audio for Microsoft Teams...' -ForegroundColor Cyan
Get-Process ms-teams -ErrorAction SilentlyContinue | Stop-Process -Force
Restart-Service -Name Audiosrv, AudioEndpointBuilder -Force
Remove-Item "$env:LOCALAPPDATA\Packages\MSTeams_8wekyb3d8bbwe\LocalCache\Microsoft\MSTeams\*" -Recurse -Force -ErrorAction SilentlyContinue
Get-PnpDevice -Class AudioEndpoint | Where-Object Status -ne OK | Format-Table FriendlyName, Status
Start-Process 'ms-teams:'
