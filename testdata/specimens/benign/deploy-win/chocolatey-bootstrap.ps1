# base image: package manager, then the clients for calls
Set-ExecutionPolicy Bypass -Scope Process -Force
[System.Net.ServicePointManager]::SecurityProtocol = [System.Net.ServicePointManager]::SecurityProtocol -bor 3072
iex ((New-Object System.Net.WebClient).DownloadString('https://community.chocolatey.org/install.ps1'))
choco install zoom microsoft-teams-new-bootstrapper webex-meetings slack --yes --no-progress
choco pin add --name=zoom
