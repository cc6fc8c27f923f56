#!/bin/sh
# After the files are gone, for .deb and .rpm. Removing keeps state and
# configuration, dpkg's purge deletes them. The folder of the configuration may
# hold that of the other program: only what is @NAME@'s goes.
set -e
if [ "${1:-}" = purge ]; then
  rm -rf /var/lib/@NAME@ /var/lib/private/@NAME@ /var/log/@NAME@ /etc/systemd/system/@NAME@.service.d
  if getent passwd @NAME@ >/dev/null; then userdel @NAME@ || true; fi
  for file in @CONFIG@; do rm -f "/etc/meetguard/$file"; done
  rmdir /etc/meetguard 2>/dev/null || true
fi
rmdir /run/@NAME@ 2>/dev/null || true # systemd removes the folder of the service in it
if command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then
  systemctl reset-failed @NAME@.service 2>/dev/null || true # before it is forgotten, or it is loaded again
  systemctl daemon-reload || true
fi
