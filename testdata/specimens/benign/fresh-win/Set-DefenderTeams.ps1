# performance exclusions of the vendor's guide, for the media optimisation on Citrix
Add-MpPreference -ExclusionProcess 'ms-teams.exe'
Add-MpPreference -ExclusionPath 'C:\ProgramData\Citrix\HDXTeams'
Get-MpPreference | Select-Object ExclusionProcess, ExclusionPath | Export-Csv C:\Logs\mp.csv -NoTypeInformation
