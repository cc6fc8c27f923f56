#!/bin/bash
# installs a package manager for macOS and Linux, in the way such scripts do
set -u
abort() { printf "%s\n" "$@" >&2; exit 1; }
if [ -z "${BASH_VERSION:-}" ]; then abort "Bash is required to interpret this script."; fi
ohai() { printf "==> %s\n" "$*"; }
wait_for_user() { echo; echo "Press RETURN/ENTER to continue or any other key to abort:"; read -r -n 1 c; }
ohai "This script will install:"
echo "/opt/examplebrew/bin/brew"
if [[ -z "${NONINTERACTIVE-}" ]]; then wait_for_user; fi
if ! sudo -v; then abort "Need sudo access on macOS"; fi
ohai "Downloading and installing..."
mkdir -p /opt/examplebrew && cd /opt/examplebrew || exit 1
git init -q
git config remote.origin.url "https://github.com/example/brew"
git fetch --force origin
git reset --hard origin/stable
/opt/examplebrew/bin/brew update --force --quiet
ohai "Installation successful!"
