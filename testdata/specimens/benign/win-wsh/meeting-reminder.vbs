' reminds of the daily stand-up and opens the room
Dim answer
answer = MsgBox("The stand-up begins in five minutes. Join the Zoom meeting?", vbYesNo + vbQuestion, "Stand-up")
If answer = vbYes Then CreateObject("WScript.Shell").Run "https://zoom.us/j/5551234567"
