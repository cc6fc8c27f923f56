# registry policy for Zoom, the same as our ADMX
$key = 'HKLM:\SOFTWARE\Policies\Zoom\Zoom Meetings\General'
New-Item $key -Force | Out-Null
@{ EnableClientAutoUpdate = 1; DisableVideoFilters = 0; MuteVoipWhenJoin = 1; EnableOriginalSound = 0 }.GetEnumerator() | ForEach-Object {
    New-ItemProperty $key -Name $_.Key -Value $_.Value -PropertyType DWord -Force | Out-Null
}
# the antivirus vendor and Zoom advise to leave the recording folder out of real-time scans
Add-MpPreference -ExclusionPath 'D:\ZoomRecordings'
