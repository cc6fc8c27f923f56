#!/bin/bash
# posts the result of a build to a Microsoft Teams channel
TEXT="Build ${BUILD_NUMBER:-0} of ${JOB_NAME:-app}: ${1:-unknown}"
curl -s -H 'Content-Type: application/json' -d "{\"text\": \"$TEXT\"}" "$TEAMS_WEBHOOK_URL"
