#!/bin/sh
# .git/hooks/post-merge: installs what changed
git diff --name-only ORIG_HEAD HEAD | grep -q '^package-lock.json$' && npm ci
exit 0
