#!/bin/sh
# packages.sh DIST [FORMAT…]: makes packages of what scripts/dist.sh built in DIST,
# into DIST/packages: deb and rpm of agent and collector for both Linux targets,
# msi of the agent for Windows; all three if none is named. What macOS needs is
# made on a Mac, by installer/macos/build-pkg.sh.
set -eu
dist=${1:?usage: packages.sh DIST [deb|rpm|msi…]}
shift
[ $# -gt 0 ] || set -- deb rpm msi
formats=" $* "
dist=$(cd "$dist" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
# shellcheck source=/dev/null
. "$dist/build-info" # of the build, whatever was committed since
export VERSION COMMIT SOURCE_DATE_EPOCH
root=$PWD
work=$root/build/dist-work/packages
out=$dist/packages
rm -rf "$work"
mkdir -p "$work" "$out"
say() { echo "packages: $*" >&2; }
wanted() { case $formats in *" $1 "*) ;; *) return 1 ;; esac; }

host=$dist/linux-amd64/meetguard # writes its own manual and completions

# pages DIR: manual pages and completions, the same for each system
pages() {
  mkdir -p "$1/man" "$1/completion"
  "$host" man "$1/man"
  gzip -9n "$1"/man/*.1
  for shell in bash zsh fish; do "$host" completion "$shell" >"$1/completion/meetguard.$shell"; done
}

# stage DIR NAME CONFIG: what both programs' packages have in common
stage() {
  mkdir -p "$1"
  cp "$dist/LICENSE" "$dist/LICENSES.txt" "$1/"
  for script in postinstall preremove postremove; do
    sed "s/@NAME@/$2/g; s/@CONFIG@/$3/g" "installer/linux/$script.sh" >"$1/$script.sh"
  done
}

# linux ARCH
linux() {
  dir=$work/linux-$1
  stage "$dir/agent" meetguard "config.yaml managed.yaml enroll.token"
  cp "$dist/linux-$1/meetguard" "$dist/linux-$1/meetguard.cdx.json" installer/systemd/meetguard.service installer/systemd/meetguard.sysusers \
    installer/desktop/meetguard-notify.path installer/desktop/meetguard-notify.service "$dir/agent/"
  cp -r "$work/pages/man" "$work/pages/completion" "$dir/agent/"
  stage "$dir/collector" meetguard-collector collector.yaml
  cp "$dist/linux-$1/meetguard-collector" "$dist/linux-$1/meetguard-collector.cdx.json" \
    installer/collector/meetguard-collector.service installer/collector/collector.yaml "$dir/collector/"
  for part in agent collector; do
    for format in deb rpm; do
      wanted $format || continue
      (cd "$dir/$part" && ARCH=$1 "$root/build/dist-work/nfpm" package -f "$root/installer/linux/$part.yaml" -p $format -t "$out/" >/dev/null)
    done
  done
}

# windows: wixl writes most of the package, and the rest is set in its tables:
# it knows no hidden targets, nor where an old version is to be removed.
windows() {
  dir=$work/windows
  mkdir -p "$dir"
  cp "$dist/windows-amd64/meetguard.exe" "$dist/LICENSE" "$dist/LICENSES.txt" installer/windows/meetguard.wxs "$dir/"
  msi=$out/meetguard-$VERSION-amd64.msi
  id() { printf '%s %s %s' "$1" "$VERSION" "$(sha256sum "$dir/meetguard.exe")" | sha256sum | tr a-f A-F | sed -E 's/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/'; }
  (cd "$dir" && wixl -a x64 -D Version="$VERSION" -D Code="$(id product)" -o "$msi" meetguard.wxs)
  msibuild "$msi" -q "UPDATE \`CustomAction\` SET \`Type\` = 11282 WHERE \`Action\` = 'Prepare'" # 3090, and 8192: hide the target
  msibuild "$msi" -q "UPDATE \`InstallExecuteSequence\` SET \`Sequence\` = 1510 WHERE \`Action\` = 'RemoveExistingProducts'"
  msibuild "$msi" -q "UPDATE \`Property\` SET \`Value\` = 'WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;COLLECTOR;TOKEN;PURGE' WHERE \`Property\` = 'SecureCustomProperties'"
}

rm -f "$out"/* # of an earlier version
if wanted deb || wanted rpm; then
  (cd tools/nfpm && go build -o "$root/build/dist-work/nfpm" github.com/goreleaser/nfpm/v2/cmd/nfpm)
  mkdir -p "$work/pages"
  pages "$work/pages"
  for arch in amd64 arm64; do
    [ ! -d "$dist/linux-$arch" ] || linux "$arch"
  done
fi
if wanted msi && [ -d "$dist/windows-amd64" ]; then windows; fi
(cd "$out" && find . -type f ! -name SHA256SUMS | sed 's,^\./,,' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
say "ready in $out:"
ls -l "$out" >&2
