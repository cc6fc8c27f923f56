# runs as SYSTEM from the RMM: winget is not on the path there
$winget = Get-ChildItem "$env:ProgramFiles\WindowsApps\Microsoft.DesktopAppInstaller_*_x64__8wekyb3d8bbwe\winget.exe" | Select-Object -Last 1
foreach ($id in 'Zoom.Zoom', 'Microsoft.Teams', 'Cisco.Webex', 'SlackTechnologies.Slack') {
    & $winget.FullName upgrade --id $id --exact --silent --accept-package-agreements --accept-source-agreements --scope machine
    Write-Host "$id ended with $LASTEXITCODE"
}
