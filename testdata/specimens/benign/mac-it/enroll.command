#!/bin/bash
echo "Enrolling this Mac with Example Corp"
open "https://mdm.example.com/enroll"
osascript -e 'tell application "System Settings" to activate'
read -r -p "Press return when the profile is installed "
profiles status -type enrollment
