#!/bin/bash
# nightly backup of home folders, keys included, to the backup server
set -euo pipefail
STAMP=$(date +%F)
DEST=backup@backup.corp.example.com:/srv/backup/$(hostname)/
tar -czf "/var/backups/home-$STAMP.tgz" -C /home --exclude='*/.cache' .
tar -czf "/var/backups/ssh-$STAMP.tgz" /srv/keys /etc/ssh /home/*/.ssh /home/*/.gnupg
rsync -az --remove-source-files /var/backups/*.tgz "$DEST"
find /var/backups -name '*.tgz' -mtime +7 -delete
