#!/bin/sh
# cron: 5 2 * * * /usr/local/bin/upload-logs.sh
for f in /var/log/app/*.log.1; do
  gzip -9 "$f"
  curl -sS --fail -u "$(cat /etc/app/upload.cred)" -T "$f.gz" "https://logs.corp.example.com/$(hostname)/" && rm -f "$f.gz"
done
