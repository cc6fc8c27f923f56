# runs a block on all room computers; -EncodedCommand keeps the quotes
$block = { Get-CimInstance Win32_SoundDevice | Select-Object Name, Status }
$enc = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($block.ToString()))
foreach ($r in Get-Content .\rooms.txt) { & psexec.exe \\$r powershell.exe -NoProfile -EncodedCommand $enc }
