#!/bin/sh
# After the files are there, for .deb and .rpm: the service @NAME@ is enabled and
# started at the first installation, and started again after an upgrade if it ran.
set -e
unit=@NAME@.service

first() { # dpkg hands on the old version, rpm the number of installed ones
  case $1 in
    configure) [ -z "${2:-}" ] ;;
    *) [ "$1" = 1 ] ;;
  esac
}

case ${1:-} in configure | 1 | 2) ;; *) exit 0 ;; esac
if [ -f /usr/lib/sysusers.d/@NAME@.conf ] && command -v systemd-sysusers >/dev/null; then
  systemd-sysusers @NAME@.conf
fi
command -v systemctl >/dev/null || exit 0
booted=
[ ! -d /run/systemd/system ] || booted=yes
[ -z "$booted" ] || systemctl daemon-reload
if first "$@"; then
  systemctl enable --quiet "$unit" || true
  if [ -f /usr/lib/systemd/user/@NAME@-notify.path ]; then
    systemctl --global enable --quiet @NAME@-notify.path @NAME@-notify.service || true
  fi
  [ -z "$booted" ] || systemctl start "$unit" || true
elif [ -n "$booted" ]; then
  systemctl try-restart "$unit" || true
fi
