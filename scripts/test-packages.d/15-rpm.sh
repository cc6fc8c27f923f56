#!/bin/bash
# 15-rpm.sh: the .rpm packages, installed by rpm in a booted systemd: owners and
# modes on the disk, the service runs and alerts, an upgrade keeps it, erasing
# leaves state and nothing else. What is typed and seen is kept in
# build/test-packages/15-rpm.txt.
#
# DIST is the folder that `make packages` filled, NEXT has packages of a later
# version. The system is a Debian with Debian's rpm, which knows nothing of what
# else is installed there: hence --nodeps. Root only.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=15-rpm
# shellcheck source=scripts/test-packages.d/machine.bash
. scripts/test-packages.d/machine.bash

# safe PACKAGE: what it installed is root's, others cannot write there, and is on
# the disk as the package says: size, digest, mode, owner.
safe() {
  local files odd
  files=$(rpms -ql "$1")
  [ "$(echo "$files" | wc -l)" -ge 5 ] || fail "$1 has only these files: $files"
  # shellcheck disable=SC2086 # a list of files without blanks
  odd=$(inside stat -c '%U:%G %a %n' $files | grep -vE '^root:root [0-7]?[0-7][0145][0145] ' || true)
  [ -z "$odd" ] || fail "others may write to $odd"
  rpms -V "$1" || fail "$1 is not on the disk as it is in the package"
  echo "→ $(echo "$files" | wc -l) files and folders of $1 are root's, and as they are in the package" | tee -a "$log"
}
rpms() { inside rpm --dbpath /var/lib/rpm "$@"; }

fresh
cp "${DIST:?}"/packages/meetguard-[0-9]*.x86_64.rpm "$root/root/meetguard.rpm"
cp "$DIST"/packages/meetguard-collector-[0-9]*.x86_64.rpm "$root/root/collector.rpm"
cp "${NEXT:?scripts/test-packages.sh sets it}"/meetguard-99*.x86_64.rpm "$root/root/meetguard-99.rpm"
printf '#!/bin/sh\nexec /usr/bin/rpm --dbpath /var/lib/rpm --nodeps --force-debian "$@"\n' >"$root/usr/local/bin/rpm-here"
chmod 755 "$root/usr/local/bin/rpm-here"
unified=yes # with the old hierarchy a container's systemd cannot see a group empty, and forgets no unit
boot
inside useradd -m -s /bin/bash ada
inside install -d -o ada -g ada /home/ada/Downloads

say "install"
typed "rpm-here -i /root/meetguard.rpm"
until_ok 30 "the service is active" active
until_ok 60 "the canary came back" proved
safe meetguard
typed "systemctl is-enabled meetguard"
typed "systemctl --global is-enabled meetguard-notify.path meetguard-notify.service"
detects 5 "Zoom update 1"

say "upgrade"
was=$(pid) had=$(alerts) host=$(inside cat /var/lib/meetguard/host.json)
typed "rpm-here -U /root/meetguard-99.rpm; rpm --dbpath /var/lib/rpm -q meetguard"
until_ok 30 "a new process is active" restarted "$was"
[ "$(alerts)" -ge "$had" ] || fail "alerts were lost"
[ "$(inside cat /var/lib/meetguard/host.json)" = "$host" ] || fail "its identity was lost"
[ "$(inside systemctl is-enabled meetguard)" = enabled ] || fail "the upgrade disabled it"
safe meetguard
detects 5 "Zoom update 2"

say "the collector"
typed "rpm-here -i /root/collector.rpm"
safe meetguard-collector
collects() { [ "$(inside systemctl is-active meetguard-collector)" = active ]; }
until_ok 30 "the collector is active" collects

say "erase"
typed "rpm-here -e meetguard meetguard-collector"
nothing_left ! -path "/var/lib/meetguard*" ! -path "/var/lib/private/*" ! -path "/var/log/*" ! -path /etc/meetguard
inside test -s /var/lib/meetguard/alerts.jsonl || fail "erasing took the alerts"
echo "state is left" | tee -a "$log"
echo "15-rpm.sh: passed; transcript in $log"
