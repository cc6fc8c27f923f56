# WebView2 for the new Teams
$f = "$env:TEMP\MicrosoftEdgeWebview2Setup.exe"
Invoke-WebRequest 'https://go.microsoft.com/fwlink/p/?LinkId=2124703' -OutFile $f
Start-Process $f -ArgumentList '/silent /install' -Wait
