# GPO start-up script
$version = '45.2.0'
$msi = "\\corp.example.com\NETLOGON\software\Webex_$version.msi"
$have = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\*' | Where-Object DisplayName -eq 'Webex'
if (-not $have -or [version]$have.DisplayVersion -lt [version]$version) {
    Start-Process msiexec.exe -ArgumentList "/i `"$msi`" /qn ACCEPT_EULA=TRUE ALLUSERS=1 AUTOSTART_WITH_WINDOWS=false" -Wait
}
