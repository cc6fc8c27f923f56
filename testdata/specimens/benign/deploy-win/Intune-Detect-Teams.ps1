# detection rule: new Teams is provisioned
if (Get-AppxProvisionedPackage -Online | Where-Object DisplayName -eq 'MSTeams') { Write-Output 'found'; exit 0 }
exit 1
