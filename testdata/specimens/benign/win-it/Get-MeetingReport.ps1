# lists last month's Teams meetings over Graph
Connect-MgGraph -Scopes OnlineMeetings.Read.All
$meetings = Invoke-MgGraphRequest -Uri "https://graph.microsoft.com/v1.0/me/onlineMeetings?`$top=50"
$meetings.value | Select-Object subject, startDateTime, joinWebUrl | Export-Csv meetings.csv -NoTypeInformation
