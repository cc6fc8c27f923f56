# registers a task whose command is passed encoded, because of the quotes in it
$script = 'Get-ChildItem "C:\Logs" -Filter *.log | Where-Object LastWriteTime -lt (Get-Date).AddDays(-30) | Remove-Item'
$encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($script))
$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument "-NoProfile -WindowStyle Hidden -EncodedCommand $encoded"
Register-ScheduledTask -TaskName 'Clean logs' -Action $action -Trigger (New-ScheduledTaskTrigger -Daily -At 3am) -User SYSTEM
