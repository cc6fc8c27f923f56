#!/bin/bash
# Self Service: asks for the asset number and renames this Mac
answer=$(osascript -e 'text returned of (display dialog "Please type the asset number on the sticker." default answer "" with title "IT Service" buttons {"OK"} default button 1)')
case "$answer" in
  [A-Z][A-Z]-[0-9][0-9][0-9][0-9]) ;;
  *) osascript -e 'display alert "This is no asset number."'; exit 1 ;;
esac
scutil --set ComputerName "$answer"
scutil --set LocalHostName "$answer"
