# registers a weekly check of the Teams version; encoded because of the quotes in the task
$check = 'Get-AppxPackage -AllUsers MSTeams | Select-Object Version | Out-File C:\ProgramData\corp\teams.txt'
$encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($check))
$action = New-ScheduledTaskAction -Execute powershell.exe -Argument "-NoProfile -WindowStyle Hidden -EncodedCommand $encoded"
Register-ScheduledTask -TaskName 'Teams version' -Action $action -Trigger (New-ScheduledTaskTrigger -Weekly -DaysOfWeek Monday -At 9am) -User SYSTEM -Force
