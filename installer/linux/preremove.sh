#!/bin/sh
# Before the files go, for .deb and .rpm: the service @NAME@ is stopped and
# disabled. An upgrade leaves it running until the new program is there.
set -e
case ${1:-} in remove | deconfigure | 0) ;; *) exit 0 ;; esac
command -v systemctl >/dev/null || exit 0
[ ! -d /run/systemd/system ] || systemctl stop @NAME@.service || true
systemctl disable --quiet @NAME@.service || true
if [ -f /usr/lib/systemd/user/@NAME@-notify.path ]; then
  systemctl --global disable --quiet @NAME@-notify.path @NAME@-notify.service || true
fi
