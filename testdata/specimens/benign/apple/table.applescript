-- writes a table of characters
set t to "A" & "," & "B" & "," & "C" & "," & "D" & return
set row to ""
repeat with i from 65 to 90
	set row to row & (ASCII character i) & ","
end repeat
tell application "TextEdit" to make new document with properties {text:t & row}
