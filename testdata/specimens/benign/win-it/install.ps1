# Installs the exampletool package manager, in the way of other package managers:
#   Set-ExecutionPolicy Bypass -Scope Process -Force; iex ((New-Object System.Net.WebClient).DownloadString('https://get.example.com/install.ps1'))
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor 3072
$url = 'https://packages.example.com/api/v2/package/exampletool/'
$tempDir = Join-Path ([IO.Path]::GetTempPath()) 'exampletool'
if (-not (Test-Path $tempDir)) { New-Item -Type Directory $tempDir | Out-Null }
$file = Join-Path $tempDir 'exampletool.zip'
(New-Object System.Net.WebClient).DownloadFile($url, $file)
Expand-Archive -Path $file -DestinationPath $tempDir -Force
& (Join-Path $tempDir 'tools\exampletoolInstall.ps1')
$path = [Environment]::GetEnvironmentVariable('Path', 'Machine')
if ($path -notlike '*exampletool*') {
    [Environment]::SetEnvironmentVariable('Path', "$path;$env:ProgramData\exampletool\bin", 'Machine')
}
