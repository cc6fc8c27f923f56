$p = Get-ItemProperty HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\* | Where-Object DisplayName -eq 'Webex'
if ($p -and [version]$p.DisplayVersion -ge [version]'44.10.0') { Write-Output 'Installed'; exit 0 }
exit 1
