@echo off
rem standard software of a new PC
winget install --id Zoom.Zoom -e --silent --accept-package-agreements --accept-source-agreements
winget install --id Microsoft.Teams -e --silent
winget install --id SlackTechnologies.Slack -e --silent
winget upgrade --all
pause
