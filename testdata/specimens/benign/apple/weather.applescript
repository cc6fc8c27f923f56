-- a launcher workflow: today's weather
set theCity to text returned of (display dialog "City" default answer "Bern")
set raw to do shell script "curl -s --max-time 10 https://api.weather.example.com/v1/today?city=" & quoted form of theCity & " | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)[\"text\"])'"
display notification raw with title "Weather in " & theCity
