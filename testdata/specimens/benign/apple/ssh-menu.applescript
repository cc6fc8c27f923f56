set hosts to paragraphs of (do shell script "grep '^Host ' ~/.ssh/config | awk '{print $2}'")
set choice to choose from list hosts with prompt "Connect to"
if choice is not false then
	tell application "Terminal"
		activate
		do script "ssh " & item 1 of choice
	end tell
end if
