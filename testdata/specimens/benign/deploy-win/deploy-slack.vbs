' GPO logon script: Slack from the software share
Option Explicit
Dim shell, fso, target
Set shell = CreateObject("WScript.Shell")
Set fso = CreateObject("Scripting.FileSystemObject")
target = shell.ExpandEnvironmentStrings("%ProgramFiles%") & "\Slack\slack.exe"
If Not fso.FileExists(target) Then
    shell.Run "msiexec /i ""\\corp.example.com\software\slack-standalone-4.39.msi"" /qn INSTALLLEVEL=2", 0, True
End If
