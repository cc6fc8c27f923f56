$ErrorActionPreference = 'Stop'
$packageArgs = @{
  packageName    = $env:ChocolateyPackageName
  fileType       = 'msi'
  url64bit       = 'https://zoom.us/client/6.2.11.50939/ZoomInstallerFull.msi?archType=x64'
  checksum64     = '0f5d5a2b8f4a43d3f7a0b5c7f5d08b77a7f2a4f0c1d3d1e9a6d3c8e4a5b6c7d8'
  checksumType64 = 'sha256'
  silentArgs     = '/qn /norestart MSIRestartManagerControl="Disable"'
  validExitCodes = @(0, 3010, 1641)
}
Install-ChocolateyPackage @packageArgs
