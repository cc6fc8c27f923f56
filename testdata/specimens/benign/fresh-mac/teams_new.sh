#!/bin/bash
# Intune shell script: installs the new Teams for all users
url="https://statics.teams.cdn.office.net/production-osx/enterprise/webview2/lkg/MicrosoftTeams.pkg"
log="/Library/Logs/Microsoft/IntuneScripts/teams/install.log"
mkdir -p "${log%/*}"
exec > >(tee -a "$log") 2>&1
echo "$(date) | Downloading Microsoft Teams"
curl -f -s --connect-timeout 30 --retry 5 -L -o /tmp/teams.pkg "$url"
pkgutil --check-signature /tmp/teams.pkg | grep -q "Microsoft Corporation (UBF8T346G9)" || exit 2
installer -pkg /tmp/teams.pkg -target / && rm /tmp/teams.pkg
