##############################################################
##                                                          ##
##   Export slides to images, for the meeting room screen   ##
##   Version 1.3                                            ##
##                                                          ##
##############################################################







tell application "Microsoft PowerPoint"
	set p to active presentation
	save p in ((path to desktop as text) & "slides") as save as PNG
end tell
do shell script "ls ~/Desktop/slides | wc -l"
