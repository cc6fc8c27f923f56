package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"meetguard"
)

// Grade says how bad a finding is.
type Grade string

// The grades, best first.
const (
	OK    Grade = "ok"
	Note  Grade = "note"  // worth knowing; nothing is lost
	Warn  Grade = "warn"  // something works in a reduced form
	Blind Grade = "blind" // something is not seen, or it is not known whether it is
)

// Finding is one line of `meetguard doctor`.
type Finding struct {
	ID    string `json:"id"` // stable; docs/troubleshooting.md has a section for each
	Grade Grade  `json:"state"`
	What  string `json:"detail"`
	Do    string `json:"do,omitempty"`
}

// The ids of the findings.
const (
	IDAgent        = "agent"
	IDFiles        = "files"
	IDFolders      = "folders"
	IDLaunches     = "launches"
	IDCanary       = "canary"
	IDAlertLog     = "alert-log"
	IDSystem       = "system"
	IDRules        = "rules"
	IDSignatures   = "signatures"
	IDSettings     = "settings"
	IDIdentity     = "identity"
	IDDelivery     = "collector"
	IDOther        = "source"
	IDWatches      = "inotify-watches"
	IDInstances    = "inotify-instances"
	IDBTF          = "kernel-btf"
	IDRights       = "rights"
	IDDiskAccess   = "full-disk-access"
	IDAuditPolicy  = "audit-policy"
	IDAuditCommand = "audit-command-line"
	IDClock        = "clock"
	IDStateFolder  = "state-folder"
	IDStateSpace   = "state-space"
	IDWorker       = "worker"
	IDBox          = "box"
	IDRival        = "second-agent"
	IDConfig       = "configuration"
	IDCollector    = "collector-" // and the step: name, tcp, tls, certificate, answer
)

// IDs lists every id that a finding may have.
func IDs() []string {
	return []string{IDAgent, IDFiles, IDFolders, IDLaunches, IDCanary, IDAlertLog, IDSystem, IDRules, IDSignatures, IDSettings, IDIdentity, IDDelivery, IDOther, IDWatches,
		IDInstances, IDBTF, IDRights, IDDiskAccess, IDAuditPolicy, IDAuditCommand, IDClock, IDStateFolder, IDStateSpace, IDWorker, IDBox, IDRival, IDConfig,
		IDCollector + "name", IDCollector + "tcp", IDCollector + "tls", IDCollector + "certificate", IDCollector + "answer"}
}

// Observed is what was found out. A nil part was not looked at, because it is
// none of this system or could not be asked without harm.
type Observed struct {
	OS          string                   // windows, darwin or linux
	Now         time.Time                // of this machine
	ConfigError string                   // "" if the configuration can be read
	Refused     []string                 // managed settings that cannot be used
	Agent       Agent                    // the running agent
	Sources     []meetguard.SourceStatus // as the agent told them
	Folders     []Folder
	Inotify     *Inotify
	Kernel      *Kernel
	DiskAccess  *Access // Full Disk Access of macOS
	Audit       *Audit  // audit policy of Windows
	Rules       string  // version of the rules
	Collector   []Step
	Skew        *time.Duration // the collector's clock minus ours
	State       *StateFolder
	Worker      *Worker
	Rivals      []int // process ids of other agents on the same state folder
}

// Agent says whether the agent runs.
type Agent struct {
	Running bool
	Why     string // if not
}

// Folder is one watched folder.
type Folder struct {
	Path, User string
	State      meetguard.SourceState
	Why        string
}

// Inotify are the limits of the kernel, for each user.
type Inotify struct {
	Watches, Instances int
	Used               int // watches that the agent holds; 0 if not known
}

// Kernel is what eBPF needs. Caps are the effective capabilities of the agent's
// process, 0 with HaveCaps false if they could not be read.
type Kernel struct {
	BTF      bool
	Caps     uint64
	HaveCaps bool
}

// Access is whether something may be read.
type Access struct {
	Granted bool
	Why     string
}

// Audit is what Windows writes into its security log.
type Audit struct {
	Known           bool // whether ProcessCreation could be asked
	ProcessCreation bool
	CommandLine     bool
}

// Step is one step on the way to the collector.
type Step struct {
	Name   string // name, tcp, tls, certificate or answer
	OK     bool
	Detail string
}

// StateFolder is the folder that everything is kept in.
type StateFolder struct {
	Path    string
	Err     string // why it cannot be looked at
	Problem string // who else may read or write it, "" if nobody
	Refuses string // why nothing can be written there, "" if something can
	Free    uint64 // bytes
	Needs   uint64 // bytes that the alert log may take
}

// Worker is what came of a test inspection.
type Worker struct {
	Err   string
	Found bool   // the test lure was recognised
	Box   string // what it was shut in then
}

// Judge gives the findings, the worst first; of one grade in the order of looking.
func Judge(o Observed) []Finding {
	var all []Finding
	for _, part := range []func(Observed) []Finding{configuration, agent, sources, folders, inotify, kernel, diskAccess, audit, rules, collector, clock, state, worker, rivals} {
		all = append(all, part(o)...)
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return rank(b.Grade) - rank(a.Grade) })
	return all
}

// Blinded says whether any finding blinds the agent.
func Blinded(all []Finding) bool {
	return slices.ContainsFunc(all, func(f Finding) bool { return f.Grade == Blind })
}

func rank(g Grade) int { return slices.Index([]Grade{OK, Note, Warn, Blind}, g) }

func configuration(o Observed) []Finding {
	if o.ConfigError != "" {
		return []Finding{{IDConfig, Blind, o.ConfigError, "mend it, see `meetguard config validate FILE`; no agent starts with it"}}
	}
	if len(o.Refused) > 0 {
		return []Finding{{IDConfig, Warn, "managed settings refused: " + strings.Join(o.Refused, "; "), "mend the policy; until then what stands below it counts, see `meetguard config show --effective`"}}
	}
	return []Finding{{ID: IDConfig, Grade: OK, What: "the configuration is good"}}
}

func agent(o Observed) []Finding {
	if !o.Agent.Running {
		return []Finding{{IDAgent, Blind, o.Agent.Why, "start the service, or `meetguard run`; its log says why it ended"}}
	}
	return []Finding{{ID: IDAgent, Grade: OK, What: "the agent runs"}}
}

// sourceIDs gives the id of each source of the status.
var sourceIDs = map[string]string{"files": IDFiles, "launches": IDLaunches, "canary": IDCanary, "alert log": IDAlertLog, "system": IDSystem, "state folder": IDStateFolder, "rules": IDRules, "signatures": IDSignatures,
	"settings": IDSettings, "inspection": IDBox, "memory": IDSystem, "earlier": IDAgent, "identity": IDIdentity, "collector": IDDelivery}

// sources repeats what the agent told, if it runs: what a dead one told last is
// worth nothing.
func sources(o Observed) []Finding {
	if !o.Agent.Running {
		return nil
	}
	var out []Finding
	for _, s := range o.Sources {
		f := Finding{ID: sourceIDs[s.Name], Grade: OK, What: s.Detail, Do: Advice(s, o.OS)}
		if f.ID == "" {
			f.ID, f.What = IDOther, s.Name+": "+s.Detail
		}
		switch s.State {
		case meetguard.SourceFailed:
			f.Grade = Blind
		case meetguard.SourceDegraded:
			f.Grade = Warn
		}
		if s.Name == "launches" && strings.Contains(s.Detail, "switched off") {
			f.Grade = Note
		}
		out = append(out, f)
	}
	return out
}

func folders(o Observed) []Finding {
	if !o.Agent.Running {
		return nil
	}
	var out []Finding
	for _, f := range o.Folders {
		if f.State != meetguard.SourceOK {
			what := fmt.Sprintf("%s is not seen: %s", f.Path, f.Why)
			out = append(out, Finding{IDFolders, Blind, what, Advice(meetguard.SourceStatus{Name: "folder", State: f.State, Detail: f.Why}, o.OS)})
		}
	}
	if len(out) == 0 && len(o.Folders) > 0 {
		out = []Finding{{ID: IDFolders, Grade: OK, What: fmt.Sprintf("%d folders can be read", len(o.Folders))}}
	}
	return out
}

// What the agent needs of inotify: a watch for each folder below the download
// folders, and one instance.
const (
	fewWatches   = 8192
	fewInstances = 16
)

func inotify(o Observed) []Finding {
	if o.Inotify == nil {
		return nil
	}
	n := *o.Inotify
	watches := Finding{ID: IDWatches, Grade: OK, What: fmt.Sprintf("%d watches a user are allowed", n.Watches)}
	if n.Used > 0 {
		watches.What += fmt.Sprintf(", the agent holds %d", n.Used)
	}
	switch {
	case n.Used > 0 && n.Used >= n.Watches:
		watches.Grade = Blind
	case n.Watches < fewWatches, n.Used > n.Watches/10*9:
		watches.Grade = Warn
	}
	if watches.Grade != OK {
		watches.Do = "sysctl fs.inotify.max_user_watches=524288, and the same line in /etc/sysctl.d/60-meetguard.conf"
	}
	instances := Finding{ID: IDInstances, Grade: OK, What: fmt.Sprintf("%d instances a user are allowed", n.Instances)}
	if n.Instances < fewInstances {
		instances.Grade, instances.Do = Warn, "sysctl fs.inotify.max_user_instances=256, and the same line in /etc/sysctl.d/60-meetguard.conf"
	}
	return []Finding{watches, instances}
}

// Capabilities of Linux, from linux/capability.h.
const (
	capDACReadSearch = 2
	capNetAdmin      = 12
	capSysPtrace     = 19
	capSysAdmin      = 21
	capPerfmon       = 38
	capBPF           = 39
)

func kernel(o Observed) []Finding {
	if o.Kernel == nil {
		return nil
	}
	k := *o.Kernel
	btf := Finding{ID: IDBTF, Grade: OK, What: "the kernel describes its types (BTF)"}
	if !k.BTF {
		btf = Finding{IDBTF, Warn, "the kernel has no BTF: launches are not seen by eBPF but by the process connector, which misses those that end at once",
			"boot a kernel with CONFIG_DEBUG_INFO_BTF=y; every current distribution has one"}
	}
	return append([]Finding{btf}, rights(k)...)
}

func rights(k Kernel) []Finding {
	if !k.HaveCaps {
		return nil
	}
	has := func(bit int) bool { return k.Caps&(1<<bit) != 0 }
	var missing []string
	if !has(capDACReadSearch) {
		missing = append(missing, "CAP_DAC_READ_SEARCH (to read users' download folders)")
	}
	if !has(capSysAdmin) && !(has(capBPF) && has(capPerfmon)) && !has(capNetAdmin) {
		missing = append(missing, "CAP_BPF with CAP_PERFMON, or CAP_NET_ADMIN (to be told of launches)")
	}
	if !has(capSysPtrace) {
		missing = append(missing, "CAP_SYS_PTRACE (to see the programs of other users)")
	}
	if len(missing) == 0 {
		return []Finding{{ID: IDRights, Grade: OK, What: "the agent has the capabilities that it needs"}}
	}
	return []Finding{{IDRights, Warn, "the agent lacks " + strings.Join(missing, ", "), "run it as the service that the package installs, or as root"}}
}

func diskAccess(o Observed) []Finding {
	if o.DiskAccess == nil {
		return nil
	}
	if o.DiskAccess.Granted {
		return []Finding{{ID: IDDiskAccess, Grade: OK, What: "Full Disk Access is granted"}}
	}
	return []Finding{{IDDiskAccess, Blind, "no Full Disk Access: download and desktop folders of users cannot be read (" + o.DiskAccess.Why + ")",
		"grant it with a PPPC profile from your MDM, or in System Settings, Privacy & Security, Full Disk Access"}}
}

func audit(o Observed) []Finding {
	if o.Audit == nil {
		return nil
	}
	byLog := slices.ContainsFunc(o.Sources, func(s meetguard.SourceStatus) bool {
		return s.Name == "launches" && strings.HasPrefix(s.Detail, "security-log")
	})
	policy := Finding{ID: IDAuditPolicy, Grade: OK, What: "the creation of processes is audited"}
	switch {
	case !o.Audit.Known:
		policy.Grade, policy.What = Note, "the audit policy could not be read"
		policy.Do = "run doctor as administrator"
	case !o.Audit.ProcessCreation:
		policy.Grade, policy.What = Note, "the creation of processes is not audited: launches have no second source if ETW fails"
		policy.Do = "auditpol /set /subcategory:{0CCE922B-69AE-11D9-BED3-505054503030} /success:enable, or the same by group policy"
		if byLog {
			policy.Grade = Blind
		}
	}
	line := Finding{ID: IDAuditCommand, Grade: OK, What: "audited launches carry their command line"}
	if !o.Audit.CommandLine {
		line = Finding{IDAuditCommand, Note, "audited launches do not carry their command line", "enable the policy \"Include command line in process creation events\""}
		if byLog {
			line.Grade = Warn
		}
	}
	return []Finding{policy, line}
}

func rules(o Observed) []Finding {
	age, old := RulesAge(o.Rules, o.Now)
	if o.Rules == "" || o.Agent.Running && slices.ContainsFunc(o.Sources, func(s meetguard.SourceStatus) bool { return s.Name == "rules" }) {
		return nil // told by the agent
	}
	if old {
		return []Finding{{IDRules, Warn, fmt.Sprintf("the rules are %d days old", age), adviceRules}}
	}
	return []Finding{{ID: IDRules, Grade: OK, What: "version " + o.Rules}}
}

// stepAdvice says what to do where the way to the collector ends.
var stepAdvice = map[string]string{
	"name":        "see whether this machine can resolve names, and whether the key collector is spelt right",
	"tcp":         "see whether the collector runs, and whether a firewall or a missing proxy (HTTPS_PROXY) is between",
	"tls":         "see whether the address is that of a meetguard-collector and whether something between opens TLS: then set collector_ca",
	"certificate": "enrol again with a token of this collector, or set collector_ca if something between opens TLS",
	"answer":      "see the collector's log and /readyz",
}

func collector(o Observed) []Finding {
	var out []Finding
	for _, s := range o.Collector {
		f := Finding{ID: IDCollector + s.Name, Grade: OK, What: s.Detail}
		if !s.OK {
			f.Grade, f.Do = Warn, stepAdvice[s.Name]+"; alerts wait in the log meanwhile"
		}
		out = append(out, f)
	}
	return out
}

// maxSkew is how far clocks may be apart before a collector refuses a signed
// request, see package device.
const maxSkew = 5 * time.Minute

func clock(o Observed) []Finding {
	if o.Skew == nil {
		return nil
	}
	skew := o.Skew.Round(time.Second)
	if skew.Abs() > maxSkew {
		return []Finding{{IDClock, Warn, fmt.Sprintf("this machine's clock is %s off the collector's", skew.Abs()), "set the clock, and have it kept (timedatectl set-ntp true, w32tm /resync, sntp)"}}
	}
	return []Finding{{ID: IDClock, Grade: OK, What: fmt.Sprintf("within %s of the collector's", max(skew.Abs(), time.Second))}}
}

// leastSpace is what must be free for an alert to be written, in bytes.
const leastSpace = 16 << 20

func state(o Observed) []Finding {
	if o.State == nil {
		return nil
	}
	s := *o.State
	if s.Err != "" {
		return []Finding{{IDStateFolder, Blind, s.Err, "run doctor as root or administrator, or name the folder with --state"}}
	}
	folder := Finding{ID: IDStateFolder, Grade: OK, What: s.Path + " belongs to whoever runs the agent, and to nobody else"}
	if s.Problem != "" {
		folder = Finding{IDStateFolder, Warn, s.Problem, "give the folder to the account that runs the agent alone (chmod 700), and see who wrote to it: `meetguard alerts verify`"}
	}
	space := Finding{ID: IDStateSpace, Grade: OK, What: fmt.Sprintf("%d MiB are free", s.Free>>20)}
	switch {
	case s.Refuses != "":
		space.Grade, space.What, space.Do = Blind, s.Refuses, "make that volume writable again: alerts cannot be written"
	case s.Free < leastSpace:
		space.Grade, space.Do = Blind, "free space on that volume: alerts cannot be written"
	case s.Free < s.Needs:
		space.Grade, space.Do = Warn, fmt.Sprintf("free space on that volume, or lower log_mib: the alert log may grow to %d MiB", s.Needs>>20)
	}
	return []Finding{folder, space}
}

func worker(o Observed) []Finding {
	if o.Worker == nil {
		return nil
	}
	const do = "install the program anew; see whether security software or a missing right keeps it from starting itself"
	switch {
	case o.Worker.Err != "":
		return []Finding{{IDWorker, Blind, "the inspection process does not work: " + o.Worker.Err, do}}
	case !o.Worker.Found:
		return []Finding{{IDWorker, Blind, "the inspection process did not recognise the test lure", do}}
	}
	return []Finding{{ID: IDWorker, Grade: OK, What: "the inspection process starts and recognises the test lure; " + o.Worker.Box}}
}

func rivals(o Observed) []Finding {
	if len(o.Rivals) == 0 {
		return nil
	}
	return []Finding{{IDRival, Warn, fmt.Sprintf("another agent tries to use the same state folder: process %v", o.Rivals), "end it: of two agents on one folder only the first works"}}
}
