' logon script: maps drives and the printer
Option Explicit
Dim net, shell, fso
Set net = CreateObject("WScript.Network")
Set shell = CreateObject("WScript.Shell")
Set fso = CreateObject("Scripting.FileSystemObject")
On Error Resume Next
net.MapNetworkDrive "H:", "\\files.corp.example.com\home\" & net.UserName
net.MapNetworkDrive "S:", "\\files.corp.example.com\shared"
net.AddWindowsPrinterConnection "\\print.corp.example.com\floor2"
If fso.FileExists("S:\it\inventory.exe") Then
  shell.Run Chr(34) & "S:\it\inventory.exe" & Chr(34) & " /quiet", 0, False
End If
WScript.Quit 0
