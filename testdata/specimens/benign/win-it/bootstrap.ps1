# developer workstation: package manager, then tools
Set-ExecutionPolicy Bypass -Scope Process -Force
[System.Net.ServicePointManager]::SecurityProtocol = 3072
iex ((New-Object System.Net.WebClient).DownloadString('https://community.chocolatey.org/install.ps1'))
choco install -y git vscode 7zip zoom microsoft-teams slack
irm get.scoop.sh | iex
scoop install jq ripgrep
