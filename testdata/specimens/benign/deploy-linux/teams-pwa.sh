#!/bin/sh
# Teams has no client for Linux any more: makes a launcher for the web app
cat >"$HOME/.local/share/applications/teams.desktop" <<END
[Desktop Entry]
Type=Application
Name=Microsoft Teams
Exec=google-chrome --app=https://teams.microsoft.com/v2/ --class=Teams
Icon=teams
Categories=Network;
END
update-desktop-database "$HOME/.local/share/applications"
