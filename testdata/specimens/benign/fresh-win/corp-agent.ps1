# runs once from the deployment share; the script comes from our own web server
$s = Invoke-RestMethod https://deploy.example-corp.com/agent/install.ps1
$h = Invoke-RestMethod https://deploy.example-corp.com/agent/install.ps1.sha256
$m = [BitConverter]::ToString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($s))).Replace('-','').ToLower()
if ($m -ne $h.Trim()) { throw 'The script was changed on the way.' }
Invoke-Expression $s
