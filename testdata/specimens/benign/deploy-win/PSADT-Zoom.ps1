<#
.SYNOPSIS
    Deploy-Application for the Zoom Workplace client (PowerShell App Deployment Toolkit).
#>
[CmdletBinding()]
param([ValidateSet('Install', 'Uninstall', 'Repair')][string]$DeploymentType = 'Install', [ValidateSet('Interactive', 'Silent', 'NonInteractive')][string]$DeployMode = 'Interactive')
Try { Set-ExecutionPolicy -ExecutionPolicy 'ByPass' -Scope 'Process' -Force -ErrorAction 'Stop' } Catch {}
[string]$appVendor = 'Zoom'
[string]$appName = 'Zoom Workplace'
[string]$appVersion = '6.2.11'
. "$PSScriptRoot\AppDeployToolkit\AppDeployToolkitMain.ps1"
If ($deploymentType -ine 'Uninstall') {
    Show-InstallationWelcome -CloseApps 'zoom,cpthost' -AllowDefer -DeferTimes 3 -CheckDiskSpace -PersistPrompt
    Show-InstallationProgress -StatusMessage 'Zoom is being updated. Please wait.'
    Remove-MSIApplications -Name 'Zoom'
    Execute-MSI -Action 'Install' -Path 'ZoomInstallerFull.msi' -Parameters '/QN ZoomAutoUpdate="true" ZConfig="nogoogle=1;nofacebook=1"'
    Show-InstallationPrompt -Message 'Zoom has been updated. You can join your meeting now.' -ButtonRightText 'OK' -Icon Information -NoWait
}
Else {
    Execute-Process -Path "$dirFiles\CleanZoom.exe" -Parameters '/silent' -WindowStyle 'Hidden'
}
Exit-Script -ExitCode $mainExitCode
