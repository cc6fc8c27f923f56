<#
.SYNOPSIS
  Installs the new Microsoft Teams for all users with the bootstrapper.
.NOTES
  Deployed with Intune as a Win32 app. Run in the system context.
#>
[CmdletBinding()]
param([string]$Path = "$env:TEMP\Teams")

$ErrorActionPreference = 'Stop'
New-Item -ItemType Directory -Path $Path -Force | Out-Null
Write-Host 'Downloading the Microsoft Teams bootstrapper'
Invoke-WebRequest -Uri 'https://go.microsoft.com/fwlink/?linkid=2243204&clcid=0x409' -OutFile "$Path\teamsbootstrapper.exe" -UseBasicParsing
$sig = Get-AuthenticodeSignature "$Path\teamsbootstrapper.exe"
if ($sig.Status -ne 'Valid' -or $sig.SignerCertificate.Subject -notmatch 'O=Microsoft Corporation') {
    throw "teamsbootstrapper.exe is not signed by Microsoft: $($sig.Status)"
}
$p = Start-Process -FilePath "$Path\teamsbootstrapper.exe" -ArgumentList '-p' -Wait -PassThru -NoNewWindow
exit $p.ExitCode
