#!/bin/bash
# 25-ansible.sh: the playbook of installer/examples/ansible against a booted
# Debian: it installs, enrols at a collector and locks a setting; run again it
# changes nothing; it upgrades, reloads on another setting, removes and purges.
# What is typed and seen is kept in build/test-packages/25-ansible.txt.
#
# DIST is the folder that `make packages` filled, NEXT has packages of a later
# version. Root only. Nothing in the container reaches the network: what would be
# ssh enters it from outside. The tasks for RHEL are not run.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=25-ansible
# shellcheck source=scripts/test-packages.d/machine.bash
. scripts/test-packages.d/machine.bash

if ! command -v ansible-playbook >/dev/null; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ansible-core >/dev/null
fi
python=$work/bookworm-python # the same system with what Ansible needs there
if [ ! -d "$python" ]; then
  rm -rf "$python.part"
  cp -a --reflink=auto "$base" "$python.part"
  cp /etc/resolv.conf "$python.part/etc/resolv.conf"
  chroot "$python.part" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-apt' >/dev/null 2>&1 || fail "no python3 for the machine"
  mv "$python.part" "$python"
fi
base=$python
fresh
cp "${DIST:?}"/linux-amd64/meetguard-collector "$root/usr/local/bin/"
boot
inside useradd -m ada
inside install -d -o ada -g ada /home/ada/Downloads

here=$work/ansible # what an administrator has: the playbook, an inventory, a vault, two packages
rm -rf "$here"
mkdir -p "$here"
cp installer/examples/ansible/meetguard.yml "$DIST"/packages/meetguard_*_amd64.deb "$here/"
cp "${NEXT:?scripts/test-packages.sh sets it}"/meetguard_*_amd64.deb "$here/"
first=$(basename "$DIST"/packages/meetguard_*_amd64.deb) second=$(basename "$NEXT"/meetguard_*_amd64.deb)
# in the place of ssh: the last word is what a shell there is to run
cat >"$here/enter" <<SH
#!/bin/sh
for last; do :; done
exec nsenter -t $leader -m -u -i -n -p -C -- env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 sh -c "\$last"
SH
chmod 755 "$here/enter"
echo "machine ansible_user=root ansible_ssh_executable=$here/enter ansible_ssh_transfer_method=piped ansible_python_interpreter=/usr/bin/python3" >"$here/inventory"
export ANSIBLE_NOCOLOR=1 ANSIBLE_PIPELINING=1 ANSIBLE_HOME=$here/home ANSIBLE_LOCALHOST_WARNING=0

# play WORDS…: the playbook, and what it counted
play() {
  echo "# ansible-playbook -i inventory meetguard.yml $*" | tee -a "$log"
  (cd "$here" && ansible-playbook -i inventory meetguard.yml "$@") >"$here/out" 2>&1 || { cat "$here/out" >&2; fail "the playbook"; }
  grep -E '^(TASK|changed|RUNNING)' "$here/out" | awk '/^TASK|^RUNNING/{t=$0; next} {print t}' | sed -E 's/^(TASK|RUNNING HANDLER) \[(.*)\].*/changed: \2/' | tee -a "$log" || true
  grep -A1 'PLAY RECAP' "$here/out" | tail -1 | tee -a "$log"
}
changes() { sed -nE 's/^machine .*changed=([0-9]+).*/\1/p' "$here/out"; }
has() { [ "$(inside dpkg-query -W -f '${Version}' meetguard)" = "$1" ]; }
came_back() { inside meetguard status | grep -E '^canary +ok +a file and a launch came back'; } # a reload changes what systemd shows
gone() { ! inside test -e /usr/bin/meetguard; }

say "a collector"
inside systemd-run -q --unit=collector meetguard-collector serve --state /var/lib/collector --listen 127.0.0.1:8765 --host 127.0.0.1
until_ok 20 "the collector has made its store" inside test -s /var/lib/collector/first-login.txt
until_ok 20 "the collector listens" inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/8765'
inside sh -c 'umask 077; meetguard-collector token create --state /var/lib/collector --url https://127.0.0.1:8765 --json | grep -o "mgenroll_[A-Za-z0-9_-]*" | head -1' >"$here/token"
(umask 077 && printf 'meetguard_token: %s\n' "$(cat "$here/token")" >"$here/token.vault.yml")

common=(-e collector=https://127.0.0.1:8765 -e @token.vault.yml)
say "install, enrol, lock a setting"
play "${common[@]}" -e "package=$first" -e '{"settings": {"log_mib": 33}}'
until_ok 30 "the service is active" active
until_ok 60 "the canary came back" came_back
typed "meetguard config show --effective | grep log_mib"
typed "meetguard status | grep -E '^(collector|identity)' | cut -c1-160"
inside test -s /var/lib/meetguard/device.json || fail "it is not enrolled"
if inside test -e /run/meetguard.token; then fail "the token was left"; fi
if grep -qF "$(cat "$here/token")" "$here/out"; then fail "the playbook tells the token"; fi

say "again"
play "${common[@]}" -e "package=$first" -e '{"settings": {"log_mib": 33}}'
[ "$(changes)" = 0 ] || fail "the second run changed $(changes)"

say "upgrade, and another setting"
was=$(pid)
play "${common[@]}" -e "package=$second" -e '{"settings": {"log_mib": 34}}'
has "$(dpkg-deb -f "$here/$second" Version)" || fail "it was not upgraded"
until_ok 30 "a new process is active" restarted "$was"
until_ok 60 "the canary came back" came_back
typed "meetguard config show --effective | grep log_mib"
play "${common[@]}" -e "package=$second" -e '{"settings": {"log_mib": 34}}'
[ "$(changes)" = 0 ] || fail "the run after the upgrade changed $(changes)"

say "remove"
play -e state=absent
gone || fail "the program is still there"
for kept in /var/lib/meetguard/device.json /etc/meetguard/managed.yaml; do inside test -s "$kept" || fail "removing took $kept"; done
play -e state=absent
[ "$(changes)" = 0 ] || fail "removing again changed $(changes)"

say "purge"
play -e state=purged
nothing_left ! -path "*/collector/*" ! -name "meetguard-collector" ! -path "/var/cache/meetguard_*"
echo "25-ansible.sh: passed; transcript in $log"
