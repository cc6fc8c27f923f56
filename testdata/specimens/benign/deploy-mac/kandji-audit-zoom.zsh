#!/bin/zsh
# Kandji custom app, audit script: 0 installed, 1 install
app="/Applications/zoom.us.app"
want="6.1.11"
[[ -d "$app" ]] || { echo "Zoom is missing"; exit 1; }
have=$(defaults read "$app/Contents/Info.plist" CFBundleVersion)
autoload is-at-least
is-at-least "$want" "$have" && exit 0
echo "Zoom $have is older than $want"
exit 1
