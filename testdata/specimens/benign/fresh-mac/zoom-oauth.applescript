-- next Zoom meetings of my own account, shown as a list
set tok to do shell script "security find-generic-password -s zoom-oauth -w"
set j to do shell script "curl -s https://api.zoom.us/v2/users/me/meetings?type=upcoming -H 'Authorization: Bearer " & tok & "' | /usr/bin/python3 -c 'import json,sys;print(chr(10).join(m[\"topic\"] for m in json.load(sys.stdin)[\"meetings\"]))'"
choose from list (paragraphs of j) with title "Zoom"
