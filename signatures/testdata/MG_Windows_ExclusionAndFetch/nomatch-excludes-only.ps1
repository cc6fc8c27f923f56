Add-MpPreference -ExclusionPath "D:\Build"
Write-Host done
