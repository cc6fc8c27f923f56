#!/bin/sh
# uninstall.sh [--purge]: removes the agent from a Mac. State and configuration
# stay, unless --purge says otherwise.
set -eu
[ "$(id -u)" = 0 ] || { echo "uninstall.sh: needs root: sudo $0" >&2; exit 2; }
agent=/usr/local/libexec/meetguard/meetguard
launchctl bootout system/com.meetguard.agent 2>/dev/null || true
if [ "${1:-}" = --purge ]; then "$agent" setup --purge; fi
rm -f /Library/LaunchDaemons/com.meetguard.agent.plist /usr/local/bin/meetguard
rm -rf /usr/local/libexec/meetguard
pkgutil --forget com.meetguard.agent >/dev/null 2>&1 || true
