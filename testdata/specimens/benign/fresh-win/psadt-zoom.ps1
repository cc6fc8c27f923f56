# PSAppDeployToolkit 4: deployment of Zoom
$adtSession = @{ AppVendor = 'Zoom'; AppName = 'Zoom Workplace'; AppVersion = '6.6.0'; AppProcessesToClose = @('Zoom','CptHost') }
function Install-ADTDeployment {
    Show-ADTInstallationWelcome -CloseProcesses $adtSession.AppProcessesToClose -AllowDefer -DeferTimes 3
    Start-ADTMsiProcess -Action Install -FilePath 'ZoomInstallerFull.msi' -ArgumentList '/qn ZConfig="nogoogle=1;nofacebook=1"'
    Set-ADTRegistryKey -Key 'HKLM:\SOFTWARE\Policies\Zoom\Zoom Meetings\General' -Name 'EnableSilentAutoUpdate' -Value 1 -Type DWord
}
