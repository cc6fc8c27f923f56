on run argv
	set theFile to POSIX file (item 1 of argv)
	tell application "Keynote"
		set theDoc to open theFile
		set out to (text 1 thru -5 of (theFile as text)) & ".pdf"
		export theDoc to file out as PDF with properties {PDF image quality:Best}
		close theDoc saving no
	end tell
end run
