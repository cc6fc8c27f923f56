#!/bin/sh
# deps.sh: installs what the build and the tests need and the machine lacks:
# a C compiler (libyara), curl and npm (tests on real downloads and really
# signed files), osslsigncode (a second opinion on signatures for the tests). Go
# itself must be there. With "test" also what the tests start: a PostgreSQL and a
# Chromium for the collector, a session bus for notices, and what scores the units
# of systemd; with "dist" the compilers for the other systems, with "packages" what
# makes and tests packages.
set -eu

command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or later (https://go.dev/dl) and run make again" >&2; exit 1; }

missing=""
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
command -v ar >/dev/null || missing="$missing binutils"
command -v curl >/dev/null || missing="$missing curl"
command -v npm >/dev/null || missing="$missing npm"
command -v osslsigncode >/dev/null || missing="$missing osslsigncode"
if [ "${1:-}" = test ]; then
  ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
  command -v dbus-daemon >/dev/null || missing="$missing dbus"
  [ "$(uname -s)" != Linux ] || command -v systemd-analyze >/dev/null || missing="$missing systemd"
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
fi
need() { command -v "$1" >/dev/null || [ -x "$1" ] || missing="$missing $2"; } # need PROGRAM PACKAGES
if [ "${1:-}" = dist ] || [ "${1:-}" = packages ]; then
  if [ "$(uname -s)" = Linux ]; then
    need x86_64-linux-gnu-gcc gcc-x86-64-linux-gnu
    need aarch64-linux-gnu-gcc "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
    need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64
  fi
fi
if [ "${1:-}" = packages ]; then
  need wixl wixl
  need msibuild msitools
  need rpm rpm
  need /usr/lib/wine/wine64 wine64
  need qemu-aarch64-static qemu-user-static
  need debootstrap debootstrap
  need systemd-nspawn systemd-container
  need shellcheck shellcheck
fi
[ -z "$missing" ] && exit 0

run=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null && run="sudo" || run="none"
fi
if ! command -v apt-get >/dev/null || [ "$run" = none ]; then
  echo "please install:$missing (and run make again)" >&2
  exit 1
fi
echo "installing with apt-get:$missing" >&2
$run apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $missing >/dev/null
