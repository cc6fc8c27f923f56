# clears the cache of the new Teams
Stop-Process -Name ms-teams -ErrorAction SilentlyContinue
Remove-Item "$env:LOCALAPPDATA\Packages\MSTeams_8wekyb3d8bbwe\LocalCache\Microsoft\MSTeams\*" -Recurse -Force -ErrorAction SilentlyContinue
Start-Process 'ms-teams:'
