' starts the backup without a console window
CreateObject("WScript.Shell").Run "cmd /c C:\Tools\backup.bat > C:\Tools\backup.log 2>&1", 0, False
