$a = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument '-NoProfile -File C:\Scripts\room-lights.ps1'
$t = New-ScheduledTaskTrigger -Daily -At 7am
Register-ScheduledTask -TaskName 'Meeting room lights' -Action $a -Trigger $t -User SYSTEM
