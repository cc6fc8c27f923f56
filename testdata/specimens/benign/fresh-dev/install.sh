#!/bin/sh
# Installer of "talkd", a self-hosted voice server. Usage: curl -fsSL https://talkd.example.org/install.sh | sh
set -eu
VERSION="${TALKD_VERSION:-1.8.2}"
BASE="https://github.com/example-org/talkd/releases/download/v$VERSION"
os=$(uname -s | tr '[:upper:]' '[:lower:]')
case "$(uname -m)" in x86_64|amd64) arch=amd64 ;; aarch64|arm64) arch=arm64 ;; *) echo "unsupported machine" >&2; exit 1 ;; esac
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
curl -fsSL "$BASE/talkd_${os}_$arch.tar.gz" -o "$tmp/talkd.tar.gz"
curl -fsSL "$BASE/checksums.txt" -o "$tmp/checksums.txt"
(cd "$tmp" && grep "talkd_${os}_$arch.tar.gz" checksums.txt | sha256sum -c -)
tar -xzf "$tmp/talkd.tar.gz" -C "$tmp"
install -m 755 "$tmp/talkd" "${PREFIX:-/usr/local}/bin/talkd"
echo "talkd $VERSION was installed. Start it with: talkd serve"
