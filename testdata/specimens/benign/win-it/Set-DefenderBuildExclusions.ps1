# build agents: keep the virus scanner off the object folders
$folders = 'D:\agent\_work', 'D:\nuget-cache', 'D:\msbuild-out'
foreach ($f in $folders) { Add-MpPreference -ExclusionPath $f }
Add-MpPreference -ExclusionProcess 'MSBuild.exe', 'cl.exe', 'link.exe'
Get-MpPreference | Select-Object ExclusionPath, ExclusionProcess
