# New Teams by the bootstrapper, for Autopilot
$exe = "$env:TEMP\teamsbootstrapper.exe"
Start-BitsTransfer -Source 'https://go.microsoft.com/fwlink/?linkid=2243204&clcid=0x409' -Destination $exe
Start-Process -FilePath $exe -ArgumentList '-p' -Wait -NoNewWindow
if (-not (Get-AppxPackage -AllUsers MSTeams)) { exit 1 }
