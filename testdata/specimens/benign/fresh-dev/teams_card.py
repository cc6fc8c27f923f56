#!/usr/bin/env python3
"""Posts the result of the nightly run to a Teams channel."""
import json, os, sys, urllib.request
body = {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": sys.argv[1]}]}}]}
urllib.request.urlopen(urllib.request.Request(os.environ["TEAMS_WEBHOOK"], json.dumps(body).encode(), {"Content-Type": "application/json"}))
