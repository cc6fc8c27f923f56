#Requires -RunAsAdministrator
# turns the integrated camera off and on again
$cam = Get-PnpDevice -Class Camera -Status OK
$cam | Disable-PnpDevice -Confirm:$false
Start-Sleep 3
$cam | Enable-PnpDevice -Confirm:$false
Write-Host 'Camera was reset. You can go back to the call.'
