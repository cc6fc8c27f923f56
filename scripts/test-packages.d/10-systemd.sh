#!/bin/bash
# 10-systemd.sh: the agent as a service, in a booted systemd: installed from a
# .deb, it alerts, tells the truth, is upgraded, killed, hung, rebooted, removed.
# What is typed and seen is kept in build/test-packages/10-systemd.txt.
#
# DIST is the folder that `make packages` filled, NEXT has packages of a later
# version. Root only. Nothing in the container reaches the network. IDLE=240 also
# measures the agent at rest for so many seconds.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=10-systemd
# shellcheck source=scripts/test-packages.d/machine.bash
. scripts/test-packages.d/machine.bash

# --- the run ------------------------------------------------------------------
fresh
cp "${DIST:?}"/packages/meetguard_*_amd64.deb "$root/root/meetguard.deb"
cp "${NEXT:?scripts/test-packages.sh sets it}"/meetguard_*_amd64.deb "$root/root/meetguard-99.deb"
CGO_ENABLED=0 go test -c -o "$root/usr/local/bin/desktop.test" ./internal/desktop
boot
inside useradd -m -s /bin/bash ada
inside install -d -o ada -g ada /home/ada/Downloads

say "install"
typed "dpkg -i /root/meetguard.deb"
until_ok 30 "the service is active" active
until_ok 60 "the canary came back" proved
typed "systemctl status meetguard --no-pager -n 12 | cut -c1-180"
typed "meetguard service status"
typed "ps -o user,pid,ni,rss,args -C meetguard"
typed "stat -c '%A %U:%G %n' /var/lib/meetguard /var/lib/meetguard/* /var/log/meetguard /etc/meetguard /usr/bin/meetguard"

say "a user logs in"
# A session without a screen: systemd's user manager, the session's bus, and on it
# the notification server that the tests have, which writes down what it is told.
as_ada() { inside runuser -u ada -- env XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus "$@"; }
waits() { [ "$(as_ada systemctl --user is-active meetguard-notify.path)" = active ]; }
typed "loginctl enable-linger ada"
until_ok 20 "the session waits for notices" waits
typed "stat -c '%A %U:%G %n' /run/meetguard /run/meetguard/notices"
[ "$(inside stat -c '%a %U' /run/meetguard/notices)" = "755 meetguard" ] || fail "the folder of notices is not the service's, or not readable"
inside systemd-run -q --unit=desktop --uid=ada -p StandardOutput=append:/run/notified sh -c 'sleep infinity | desktop.test desktop-under-test /run/user/1000/bus m'
shows() { inside grep ready /run/notified; }
until_ok 20 "a notification server is there" shows

say "a lure in a user's Downloads"
detects 5 "Zoom update 1"
notified() { inside grep -F "$1" /run/notified; }
until_ok 20 "ada's desktop shows a notice" notified "Zoom update 1.scpt"
typed "cut -c1-300 /run/notified"
typed "ls -l /run/meetguard/notices; getfacl -cp /run/meetguard/notices/* 2>/dev/null || true"
if inside runuser -u nobody -- sh -c 'cat /run/meetguard/notices/*' 2>/dev/null; then fail "anybody can read ada's notice"; fi
typed "meetguard alerts list | grep 'Fake Zoom' | cut -c1-160"
typed "meetguard status"
typed "meetguard doctor"

say "the self-test"
# The kernel numbers processes for the whole machine and a container has numbers
# of its own, by which the self-test knows its launch: so here launches are listed.
inside sh -c 'echo "launches: poll" >/etc/meetguard/config.yaml; systemctl restart meetguard'
typed "meetguard selftest"
inside sh -c 'rm /etc/meetguard/config.yaml; systemctl restart meetguard'
until_ok 60 "the canary came back" proved
typed "systemctl show meetguard -p User -p MemoryMax -p TasksMax -p Nice -p IOSchedulingClass -p WatchdogUSec -p Restart -p IPAddressDeny -p IPAddressAllow"
typed "systemd-analyze security meetguard --no-pager | tail -2"

say "reload"
typed "systemctl reload meetguard; systemctl is-active meetguard"
reloaded() { inside journalctl -u meetguard --no-pager | grep 'Configuration reloaded' >/dev/null; }
until_ok 10 "the configuration was read again" reloaded

say "upgrade keeps state"
had=$(alerts) was=$(pid) uid=$(inside cat /var/lib/meetguard/host.json)
typed "dpkg -i /root/meetguard-99.deb"
until_ok 30 "a new process is active" restarted "$was"
[ "$(alerts)" -ge "$had" ] || fail "alerts were lost"
[ "$(inside cat /var/lib/meetguard/host.json)" = "$uid" ] || fail "its identity was lost"
[ "$(inside systemctl show -p NRestarts --value meetguard)" = 0 ] || fail "it was not the package that restarted it"
detects 5 "Zoom update 2"

say "kill -9"
was=$(pid)
gone=$(inside sh -c 'read -r up _ </proc/uptime; echo "$up" | tr -d .') # hundredths of a second
typed "kill -9 $was"
lure "while down.scpt" "down-$RANDOM"
until_ok 10 "a new process is there" started "$was"
# What counts is when systemd started it, not when this script found time to look.
took=$(($(inside systemctl show -p ExecMainStartTimestampMonotonic --value meetguard) / 1000 - gone * 10))
echo "→ systemd started it $took ms after the end of the old one (bar: $((2000 * slack)) ms)" | tee -a "$log"
[ "$took" -le $((2000 * slack)) ] || fail "too late"
until_ok 5 "the lure that landed meanwhile is an alert" told "while down.scpt"
detects 5 "Zoom update 3"

say "what lands while it is dead"
typed "systemctl stop meetguard; systemctl is-active meetguard || true"
lure "while dead.scpt" "dead-$RANDOM"
typed "systemctl start meetguard"
until_ok 5 "the lure that landed meanwhile is an alert" told "while dead.scpt"

say "a pipeline that hangs: the watchdog"
# The pace follows the watchdog: 60 s make it a proof every 50 s with a limit of 5.
# What stops the processes leaves no new one the time for an answer.
inside sh -c 'mkdir -p /etc/systemd/system/meetguard.service.d; printf "[Service]\nWatchdogSec=60\n" >/etc/systemd/system/meetguard.service.d/test.conf; systemctl daemon-reload; systemctl restart meetguard'
until_ok 60 "the canary came back" proved
was=$(pid)
typed "while kill -0 $was; do pkill -STOP -P $was; sleep 0.01; done >/dev/null 2>&1 & # the process that looks into files, and whatever replaces it"
lure "while hung.scpt" "hung-$RANDOM"
until_ok 75 "systemd has started it again" restarted "$was"
typed "journalctl -u meetguard --no-pager -o cat | grep -iE 'canary failed|watchdog' | tail -4"
until_ok 5 "the lure that landed meanwhile is an alert" told "while hung.scpt"
detects 5 "Zoom update 4"
until_ok 60 "the canary came back" proved
was=$(pid)
typed "kill -STOP $was # the whole agent"
until_ok 80 "systemd has started it again" restarted "$was"
detects 5 "Zoom update 5"
inside sh -c 'rm -r /etc/systemd/system/meetguard.service.d; systemctl daemon-reload; systemctl restart meetguard'

say "the log"
typed "journalctl -u meetguard --no-pager -o short-iso -p warning | grep -v goroutine | grep msg= | tail -6 | cut -c1-200"
inside journalctl -u meetguard --no-pager -o cat -p 4..4 | grep '^msg=Alert' >/dev/null || fail "no alert has its priority"
if inside journalctl -u meetguard --no-pager -o cat | grep -E '^(<[0-9]>|time=)'; then fail "a line has its time or its priority twice"; fi

say "reboot"
had=$(alerts)
shut
unified=yes # what current systems have, and what the bounds of the network need
boot
until_ok 60 "the service is active after the boot" active
[ "$(alerts)" -ge "$had" ] || fail "alerts were lost"
detects 10 "Zoom update 6"

say "enrol at a collector"
# The collector listens on an address that is not this machine's loopback.
reaches() { # from among the processes of the service
  inside timeout 3 bash -c 'echo $$ >/sys/fs/cgroup/system.slice/meetguard.service/cgroup.procs; exec 3<>/dev/tcp/10.9.9.1/8765'
}
if command -v ip >/dev/null; then
  nsenter -t "$leader" -n sh -c 'ip link add mg0 type veth peer name mg1 && ip addr add 10.9.9.1/24 dev mg0 && ip link set mg0 up'
  install -m 755 "$DIST/linux-amd64/meetguard-collector" "$root/usr/bin/"
  inside systemd-run -q --unit=collector meetguard-collector serve --state /var/lib/collector --listen 10.9.9.1:8765 --host 10.9.9.1
  until_ok 20 "the collector listens" inside bash -c 'exec 3<>/dev/tcp/10.9.9.1/8765'
  if reaches 2>/dev/null; then fail "the service reaches the network before it is enrolled"; fi
  inside sh -c 'umask 077; meetguard-collector token create --state /var/lib/collector --url https://10.9.9.1:8765 --json | grep -o "mgenroll_[A-Za-z0-9_-]*" | head -1 >/root/token'
  typed "meetguard enroll https://10.9.9.1:8765 --token-file /root/token"
  until_ok 60 "the canary came back" proved
  reaches || fail "the service does not reach the collector"
  [ -z "$(inside find /var/lib/meetguard ! -user meetguard)" ] || fail "root left files in the state folder"
  inside sh -c 'echo "launches: poll" >/etc/meetguard/config.yaml; systemctl restart meetguard'
  typed "meetguard selftest"
  inside sh -c 'rm /etc/meetguard/config.yaml; systemctl restart meetguard'
  typed "systemd-analyze security meetguard --no-pager | tail -1"

  say "enrol by the configuration alone"
  inside sh -c 'systemctl stop meetguard; rm -r /etc/systemd/system/meetguard.service.d /var/lib/meetguard/device*; systemctl daemon-reload; systemctl start meetguard'
  until_ok 60 "the canary came back" proved
  if reaches 2>/dev/null; then fail "the service reaches the network before it has a collector"; fi
  inside sh -c 'umask 077; meetguard-collector token create --state /var/lib/collector --url https://10.9.9.1:8765 --json | grep -o "mgenroll_[A-Za-z0-9_-]*" | head -1 >/etc/meetguard/enroll.token'
  typed "printf 'collector: https://10.9.9.1:8765\nenroll_token_file: /etc/meetguard/enroll.token\n' >/etc/meetguard/config.yaml; systemctl restart meetguard"
  enrolled() { inside test -s /var/lib/meetguard/device.json; }
  until_ok 60 "it has an identity of the collector" enrolled
  reaches || fail "the service does not reach the collector"
  typed "meetguard status | grep -E '^(collector|delivery)'"
  typed "cat /etc/systemd/system/meetguard.service.d/10-collector.conf"
  inside sh -c 'rm /etc/meetguard/config.yaml; systemctl restart meetguard'
else
  echo "NOT TESTED: enrolment needs iproute2" | tee -a "$log"
fi

if [ -n "${IDLE:-}" ]; then
  say "idle, over $IDLE s"
  # The kernel tells of launches of the whole machine, which is not idle.
  inside sh -c 'echo "launches: off" >/etc/meetguard/config.yaml; systemctl restart meetguard'
  sleep 30
  cost() { # voluntary context switches, and CPU ticks of 10 ms, of agent and worker
    inside sh -c 'for p in $(pgrep -x meetguard); do cat /proc/$p/task/*/status; cat /proc/$p/stat; done' |
      awk '/^voluntary_ctxt/ {w += $2} /^[0-9]+ \(/ {sub(/.*\) /, ""); c += $12 + $13} END {print w + 0, c + 0}'
  }
  read -r w0 c0 < <(cost)
  n0=$(inside systemctl show -p CPUUsageNSec --value meetguard)
  sleep "$IDLE"
  read -r w1 c1 < <(cost)
  n1=$(inside systemctl show -p CPUUsageNSec --value meetguard)
  echo "in $IDLE s: $((w1 - w0)) voluntary context switches, $((c1 - c0)) ticks of CPU, CPUUsageNSec $n0 → $n1" | tee -a "$log"
  typed "grep -hE '^(VmRSS|RssAnon|RssFile|Threads)' /proc/$(pid)/status"
  typed "for p in \$(pgrep -x meetguard); do tr '\\0' ' ' </proc/\$p/cmdline; awk '/^(Rss|Pss|Private_Dirty):/ {printf \" %s %d KiB\", \$1, \$2} END {print \"\"}' /proc/\$p/smaps_rollup; done"
  inside sh -c 'rm /etc/meetguard/config.yaml; systemctl restart meetguard'
fi

say "remove and purge"
typed "dpkg --remove meetguard 2>&1 | tail -1; ls -d /var/lib/meetguard /etc/meetguard /usr/bin/meetguard /usr/lib/systemd/system/meetguard.service 2>&1 || true"
typed "dpkg --purge meetguard 2>&1 | tail -1"
# What was shown to ada stands in her home, which is no package's business.
nothing_left ! -path "/usr/bin/meetguard-collector" ! -path "/var/lib/collector/*"
[ -z "$(inside sh -c 'getent passwd meetguard; getent group meetguard')" ] || fail "the account is left"

say "without a package"
install -m 755 "$DIST/linux-amd64/meetguard" "$root/usr/local/bin/meetguard"
typed "cp /usr/local/bin/meetguard /tmp/; /tmp/meetguard service install 2>&1 || rm /tmp/meetguard"
typed "umask 077; meetguard service install && meetguard service start; stat -c '%A %U %n' /etc/systemd/system/meetguard.service"
until_ok 60 "the canary came back" proved
typed "meetguard service install 2>&1 || true"
typed "meetguard service stop; meetguard service status --json || meetguard service restart; meetguard service status --json"
typed "su ada -c 'meetguard service stop' 2>&1 || true"
typed "meetguard service uninstall; meetguard service status || ls /etc/systemd/system/meetguard.service* 2>&1 || true"
echo "10-systemd.sh: passed; transcript in $log"
