#!/bin/sh
# build-pkg.sh DIST OUT.pkg: the agent as a package for macOS, on a Mac with the
# command line tools: one program for both processors, the property list of
# launchd, and scripts. Built as root or not, everything belongs to root:wheel.
#
# APP_IDENTITY and PKG_IDENTITY are names of Developer ID certificates
# (Application, Installer), NOTARY_PROFILE one of notarytool's. Without them the
# package is not signed: it installs with `installer`, not by double click, and
# no profile can give it Full Disk Access.
set -eu
dist=${1:?usage: build-pkg.sh DIST OUT.pkg}
out=${2:?usage: build-pkg.sh DIST OUT.pkg}
here=$(cd "$(dirname "$0")" && pwd)
[ "$(uname -s)" = Darwin ] || { echo "build-pkg.sh: pkgbuild and lipo are on a Mac only" >&2; exit 2; }
# shellcheck source=/dev/null
. "$dist/build-info"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
program=$work/root/usr/local/libexec/meetguard/meetguard
daemon=$work/root/Library/LaunchDaemons/com.meetguard.agent.plist
notices=$work/root/Library/LaunchAgents/com.meetguard.notify.plist
mkdir -p "$(dirname "$program")" "$(dirname "$daemon")" "$(dirname "$notices")" "$work/root/Library/Application Support/MeetGuard Notices" "$work/scripts"
lipo -create -output "$program" "$dist/darwin-arm64/meetguard" "$dist/darwin-amd64/meetguard"
cp "$dist/LICENSE" "$dist/LICENSES.txt" "$(dirname "$program")/"
cp "$here/com.meetguard.agent.plist" "$daemon"
cp "$here/../desktop/com.meetguard.notify.plist" "$notices"
cp "$here/preinstall" "$here/postinstall" "$work/scripts/"
chmod 755 "$program" "$work/scripts/preinstall" "$work/scripts/postinstall"
chmod 644 "$daemon" "$notices" "$(dirname "$program")"/LICENSE*
plutil -lint "$daemon" "$notices"
if [ -n "${APP_IDENTITY:-}" ]; then
  codesign --force --timestamp --options runtime --identifier com.meetguard.agent --sign "$APP_IDENTITY" "$program"
fi
pkgbuild --root "$work/root" --scripts "$work/scripts" --ownership recommended \
  --identifier com.meetguard.agent --version "$VERSION" --install-location / "$work/agent.pkg"
if [ -n "${PKG_IDENTITY:-}" ]; then
  productsign --timestamp --sign "$PKG_IDENTITY" "$work/agent.pkg" "$out"
else
  cp "$work/agent.pkg" "$out"
fi
if [ -n "${NOTARY_PROFILE:-}" ]; then
  xcrun notarytool submit --wait --keychain-profile "$NOTARY_PROFILE" "$out"
  xcrun stapler staple "$out"
fi
echo "build-pkg.sh: $out, version $VERSION" >&2
