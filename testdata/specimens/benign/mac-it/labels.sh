#!/bin/zsh
# installs applications by label: install.sh zoom
label=${1:?usage: labels.sh LABEL}
case $label in
zoom)
    name="zoom.us"
    type="pkg"
    downloadURL="https://zoom.us/client/latest/ZoomInstallerIT.pkg"
    expectedTeamID="BJ4HAAB9B3"
    appNewVersion="$(curl -is "https://beta2.communitypatch.com/jamf/v1/ba1efae22ae74a9eb4e915c31fef5dd2/patch/zoom.us" | grep currentVersion | tr ',' '\n' | grep currentVersion | cut -d '"' -f 4)"
    blockingProcesses=( zoom.us )
    ;;
microsoftteams)
    name="Microsoft Teams"
    type="pkg"
    downloadURL="https://go.microsoft.com/fwlink/?linkid=2249065"
    expectedTeamID="UBF8T346G9"
    blockingProcesses=( "Teams" "Microsoft Teams Helper" )
    ;;
webex)
    name="Webex"
    type="dmg"
    if [[ $(arch) == arm64 ]]; then
        downloadURL="https://binaries.webex.com/WebexDesktop-MACOS-Apple-Silicon-Gold/Webex.dmg"
    else
        downloadURL="https://binaries.webex.com/WebexTeamsDesktop-MACOS-Gold/Webex.dmg"
    fi
    expectedTeamID="DE8Y96K9QP"
    ;;
slack)
    name="Slack"
    type="dmg"
    downloadURL="https://slack.com/ssb/download-osx-universal"
    expectedTeamID="BQR82RBBHL"
    ;;
*)
    echo "unknown label $label"; exit 1 ;;
esac

tmp=$(mktemp -d)
archive="$tmp/$name.$type"
curl -fsL "$downloadURL" -o "$archive" || { echo "could not download $downloadURL"; exit 2; }
if [[ $type == dmg ]]; then
    mount=$(hdiutil attach "$archive" -nobrowse -readonly | tail -n 1 | cut -c 54-)
    team=$(codesign -dv "$mount/$name.app" 2>&1 | awk -F= '/TeamIdentifier/ {print $2}')
    [[ $team == $expectedTeamID ]] || { echo "team id $team is not the expected one"; hdiutil detach "$mount"; exit 4; }
    ditto "$mount/$name.app" "/Applications/$name.app"
    hdiutil detach "$mount"
else
    installer -pkg "$archive" -target /
fi
osascript -e "display notification \"$name was installed\" with title \"Self Service\""
