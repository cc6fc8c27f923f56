' logon script: drives and the light of the meeting room
Option Explicit
Dim net, sh
Set net = CreateObject("WScript.Network")
Set sh = CreateObject("WScript.Shell")
On Error Resume Next
net.MapNetworkDrive "M:", "\\files.example-corp.com\meetings", False
sh.Run """C:\Program Files\RoomLight\light.exe"" --room 3", 0, False
