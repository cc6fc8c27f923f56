package health

import (
	"strings"
	"time"

	"meetguard"
)

const adviceRules = "install a newer version: the rules come with the program"

// Advice is one line of what to do about a source that is not ok, "" if it is.
// Sources are those of `meetguard status`, and "folder" for a watched one.
func Advice(s meetguard.SourceStatus, goos string) string {
	if s.State == meetguard.SourceOK {
		return ""
	}
	switch s.Name {
	case "files", "folder":
		return adviceFiles(s.Detail, goos)
	case "launches":
		return adviceLaunches(s, goos)
	case "canary":
		return adviceCanary(s.Detail)
	case "system":
		return "give the agent back what it lacks: room, open files, memory, time; it goes on by itself"
	case "state folder":
		return "see who or what changed the folder, and look at what was set aside there; the agent goes on without it"
	case "alert log":
		if strings.HasPrefix(s.Detail, "damaged") {
			return "`meetguard alerts verify` says where; see who or what changed it, and what the collector has"
		}
		return "see whether the volume of the state folder is full or read-only; the agent goes on as soon as it can write"
	case "rules":
		return adviceRules
	case "inspection":
		return "see docs/troubleshooting.md under box: files are judged as ever, but one that takes the parser over could do more"
	case "memory":
		return "give the service more memory, or see what else takes that of the machine; files that were being inspected are inspected again"
	case "settings":
		if strings.Contains(s.Detail, "not the administrator's alone") {
			return "give what it names, and the folders above, to root and take writing from all others; or mend the policy that it names"
		}
		return "mend the policy, see `meetguard config show --effective`"
	case "identity":
		if strings.Contains(s.Detail, "meetguard enroll") {
			return "enrol this machine: `meetguard enroll URL TOKEN`"
		}
		return "ask the operator of the collector, and see `meetguard doctor`"
	case "collector":
		return "`meetguard doctor` says where the way to the collector ends; alerts wait in the log"
	}
	return "see the log of the service, and restart it"
}

func adviceFiles(detail, goos string) string {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(detail, w) {
				return true
			}
		}
		return false
	}
	switch {
	case goos == "darwin" && has("not permitted", "permission denied"):
		return "grant Full Disk Access to meetguard, by a PPPC profile or in System Settings"
	case has("no space left", "too many open files", "cannot be watched"):
		return "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances, see docs/troubleshooting.md"
	case has("permission denied", "not permitted", "Access is denied"):
		return "run the agent as the service that the package installs, so that it may read users' folders"
	case has("no such file", "cannot find", "gone"):
		return "make the folder again, or take it out of watch; it is watched as soon as it is there"
	case has("no folder to watch"):
		return "name folders with the key watch: no user of this machine has a download folder"
	case has("wait to be looked at", "is not done"):
		return "wait: every folder has its turn, and nothing is lost; if it goes on, see who fills that folder"
	case has("more than"):
		return "name the folders that matter with the key watch; the others are listed every 10 minutes"
	}
	return "see the log of the service"
}

// adviceCanary tells apart a volume that takes nothing and an agent that sees
// nothing: the second one is ended by its watchdog.
func adviceCanary(detail string) string {
	if strings.HasPrefix(detail, "no proof could be made") {
		return "make room on the volume of the state folder: without it the agent cannot prove that it detects"
	}
	return "the service is started again by itself; if this stays, its log has where it hung, and `meetguard selftest` says what is not seen"
}

func adviceLaunches(s meetguard.SourceStatus, goos string) string {
	switch {
	case strings.Contains(s.Detail, "switched off"):
		return "set launches to auto"
	case goos == "linux":
		return "run the agent as root with CAP_BPF and CAP_PERFMON on a kernel with BTF, or with CAP_NET_ADMIN"
	case goos == "windows":
		return "run the agent as the service that the package installs, as SYSTEM"
	case goos == "darwin":
		return "run the agent as root and grant it Full Disk Access, which eslogger needs"
	}
	return "see the log of the service"
}

// oldRules is the age from which rules are called old: campaigns change their
// scripts within weeks.
const oldRules = 45 * 24 * time.Hour

// RulesAge is the age of rules of a version that begins with its day, as
// 2026.11.22-…, in whole days. An unreadable version is not old.
func RulesAge(version string, now time.Time) (days int, old bool) {
	day, _, _ := strings.Cut(version, "-")
	t, err := time.Parse("2006.01.02", day)
	if err != nil {
		return 0, false
	}
	age := now.Sub(t)
	return int(age / (24 * time.Hour)), age > oldRules
}
