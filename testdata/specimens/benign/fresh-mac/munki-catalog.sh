#!/bin/bash
# imports the conferencing clients into our own repository
for app in Zoom MicrosoftTeams Webex Slack; do
  autopkg run "$app.munki.recipe" MakeCatalogs.munki || echo "import of $app did not work" >&2
done
curl -s -X POST "https://munki.example-corp.com/hooks/rebuild" -H "X-Key: $(security find-generic-password -s munki -w)"
