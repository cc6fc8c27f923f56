package watch

import (
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"meetguard"
)

// eslogger prints one JSON object a line for each event of Endpoint Security,
// modelled after es_message_t (ESMessage.h of Apple's SDK). Its manual says that
// the shape is no interface and may change: so what is not known is passed
// over, what has another type counts as absent, and no field is required but
// the process and its program. Two changes have been seen: audit tokens are
// objects up to macOS 15 and arrays of eight numbers since 26, and arguments
// come as a plain array or as {"count", "items": [{"value"}]}. The environment
// is never decoded.
type esMessage struct {
	Global esNumber `json:"global_seq_num"`
	Event  struct {
		Exec *esExec `json:"exec"`
	} `json:"event"`
}

type esExec struct {
	Target esProcess `json:"target"`
	Args   esArgs    `json:"args"`
	Cwd    esFile    `json:"cwd"`
	Script esFile    `json:"script"` // only of a script that is launched by itself
}

type esProcess struct {
	Token      esToken  `json:"audit_token"`
	PPID       int      `json:"ppid"`
	FirstPPID  int      `json:"original_ppid"` // does not change when the parent ends
	Executable esFile   `json:"executable"`
	Started    esTime   `json:"start_time"` // of the process: its fork, not its exec
	SigningID  string   `json:"signing_id"`
	TeamID     string   `json:"team_id"`
	CDHash     string   `json:"cdhash"`
	Flags      esNumber `json:"codesigning_flags"`
	Category   int      `json:"cs_validation_category"` // since macOS 26
	Platform   bool     `json:"is_platform_binary"`
}

type esFile struct {
	Path string `json:"path"`
	Cut  bool   `json:"path_truncated"`
}

// esNumber is a number that may be missing: zero would say something.
type esNumber struct {
	value uint64
	told  bool
}

// UnmarshalJSON leaves what is no number unknown.
func (n *esNumber) UnmarshalJSON(b []byte) error {
	value, err := strconv.ParseUint(string(b), 10, 64)
	*n = esNumber{value, err == nil}
	return nil
}

// esTime is a time as eslogger prints it, RFC 3339 with fractions.
type esTime struct{ time.Time }

// UnmarshalJSON leaves a time of another shape unknown.
func (t *esTime) UnmarshalJSON(b []byte) error {
	if t.Time.UnmarshalJSON(b) != nil {
		t.Time = time.Time{}
	}
	return nil
}

// esToken is an audit token (audit_token_t): whose process it is.
type esToken struct {
	pid  int
	user string // real user id
}

// UnmarshalJSON takes both shapes of a token. One of another shape is empty.
func (t *esToken) UnmarshalJSON(b []byte) error {
	const ruid, pid = 3, 5 // places in the array: auid, euid, egid, ruid, rgid, pid, asid, pidversion
	var list []int64
	if json.Unmarshal(b, &list) == nil && len(list) > pid {
		t.pid, t.user = int(list[pid]), strconv.FormatInt(list[ruid], 10)
		return nil
	}
	var named struct {
		PID  int    `json:"pid"`
		User *int64 `json:"ruid"`
	}
	if json.Unmarshal(b, &named) == nil {
		t.pid = named.PID
		if named.User != nil {
			t.user = strconv.FormatInt(*named.User, 10)
		}
	}
	return nil
}

// esArgs are the arguments, the first of them the name of the program.
type esArgs []string

// UnmarshalJSON takes both shapes of arguments. Those of another shape are none.
func (a *esArgs) UnmarshalJSON(b []byte) error {
	var plain []string
	if json.Unmarshal(b, &plain) == nil {
		*a = plain
		return nil
	}
	var listed struct {
		Items []struct {
			Value string `json:"value"`
		} `json:"items"`
	}
	if json.Unmarshal(b, &listed) == nil {
		for _, item := range listed.Items {
			*a = append(*a, item.Value)
		}
	}
	return nil
}

// esTold is what a line says.
type esTold struct {
	proc     meetguard.Process
	launch   bool // else the line is about something else
	cut      bool // the path of the program was too long for the system
	sequence uint64
	numbered bool // sequence is known
}

var errNoMessage = errors.New("it is no JSON object")

// parseESLogger reads one line. Lines without a launch are no error.
func parseESLogger(line []byte) (esTold, error) {
	var m esMessage
	err := json.Unmarshal(line, &m)
	if other := (*json.UnmarshalTypeError)(nil); errors.As(err, &other) && other.Field != "" {
		err = nil // one field has another type; the others have been read
	}
	if err != nil {
		return esTold{}, errNoMessage
	}
	var t esTold
	t.sequence, t.numbered = m.Global.value, m.Global.told
	if x := m.Event.Exec; x != nil && x.Target.Token.pid > 0 && x.Target.Executable.Path != "" {
		t.launch, t.cut, t.proc = true, x.Target.Executable.Cut, x.process()
	}
	return t, nil
}

func (x *esExec) process() meetguard.Process {
	p := &x.Target
	d := meetguard.Process{PID: p.Token.pid, PPID: p.PPID, OS: "darwin", Exe: p.Executable.Path, Args: x.arguments(),
		Cwd: x.Cwd.Path, User: p.Token.user, Started: p.Started.Time, Signature: p.signature()}
	if p.FirstPPID > 0 {
		d.PPID = p.FirstPPID
	}
	return d
}

// arguments holds the script too. The system names a script that is launched by
// itself as it was called, which can be a link of another name: then the file is
// put before it.
func (x *esExec) arguments() []string {
	args := slices.Clip([]string(x.Args[:min(len(x.Args), argsMost)]))
	script := x.Script.Path
	if script == "" || len(args) == 0 {
		return args
	}
	for _, arg := range args[1:] {
		if path.Base(arg) == path.Base(script) {
			return args
		}
	}
	return slices.Insert(args, 1, script)
}

// Bits of codesigning_flags and values of cs_validation_category, from
// kern/cs_blobs.h of Apple's kernel.
const (
	csValid         = 0x0000_0001 // nothing that was checked so far is wrong
	csAdhoc         = 0x0000_0002
	csKill          = 0x0000_0200 // a page that does not fit ends the process
	csRuntime       = 0x0001_0000 // hardened runtime
	csSigned        = 0x2000_0000
	csCategoryDev   = 3
	csCategoryStore = 4
	csCategoryDevID = 6
)

// esKinds are the values of Signature.Kind, as package sign has them.
var esKinds = map[int]string{csCategoryDev: "development", csCategoryStore: "mac_app_store", csCategoryDevID: "developer_id"}

// signature is what the kernel's word proves, and no more.
//
// At a launch the kernel has compared the seal with the list of page hashes, so
// that identifier and Team ID are those that were signed. It has not checked
// all pages: with csKill the process ends at the first that does not fit. And
// the flags do not say who vouches for the certificate: anybody can sign with a
// certificate of their own and any Team ID. So a signature is valid only of a
// part of the system, or, since macOS 26, if the category says that the system
// let it run for Apple's Developer ID, App Store or development. Else the Team
// ID is a claim (ClaimedTeam) and the state unknown, until somebody looks at
// the file. Nil is: nothing was told.
func (p *esProcess) signature() *meetguard.Signature {
	if !p.Flags.told {
		return nil
	}
	s := &meetguard.Signature{Status: meetguard.SignatureUnknown, SigningID: p.SigningID, CDHash: strings.ToLower(p.CDHash), Hardened: p.Flags.value&csRuntime != 0}
	intact := p.Flags.value&csValid != 0 && p.Flags.value&csKill != 0
	kind := esKinds[p.Category]
	switch {
	case p.Flags.value&csSigned == 0:
		// Flags from before the kernel had this bit cannot be told from those of
		// a program without signature unless there is nothing else of one.
		if p.SigningID == "" && p.CDHash == "" {
			s.Status = meetguard.SignatureUnsigned
		}
	case p.Flags.value&csAdhoc != 0:
		s.Status = meetguard.SignatureAdhoc
	case p.Platform && p.Flags.value&csValid != 0:
		s.Status, s.Kind = meetguard.SignatureValid, "apple"
	case intact && kind != "" && p.TeamID != "":
		s.Status, s.Kind, s.TeamID = meetguard.SignatureValid, kind, p.TeamID
	default:
		s.ClaimedTeam = p.TeamID
	}
	return s
}

// esGaps counts the messages that were lost: global_seq_num counts what the
// system had for this client, of whatever kind, from its start.
type esGaps struct {
	next  uint64
	begun bool
}

// missing is how many messages lie between this one and the last.
func (g *esGaps) missing(t esTold) int64 {
	if !t.numbered {
		return 0
	}
	lost := int64(0)
	if g.begun && t.sequence > g.next {
		lost = int64(min(t.sequence-g.next, 1<<32))
	}
	g.next, g.begun = t.sequence+1, true
	return lost
}

// explainESLogger says why eslogger ended, and what can be done, from what it
// printed as an error. The words in capitals are the names of the system's own
// errors (es_new_client_result_t).
func explainESLogger(said string) string {
	switch {
	case strings.Contains(said, "ERR_NOT_PERMITTED"), strings.Contains(said, "Full Disk Access"):
		return "the agent has no Full Disk Access: allow it in System Settings, Privacy & Security, Full Disk Access, or by a profile for SystemPolicyAllFiles"
	case strings.Contains(said, "ERR_NOT_PRIVILEGED"), strings.Contains(said, "superuser"):
		return "it needs root"
	case strings.Contains(said, "ERR_TOO_MANY_CLIENTS"):
		return "too many programs listen to Endpoint Security: end one of them"
	case strings.Contains(said, "ERR_NOT_ENTITLED"):
		return "the system does not let its own eslogger listen"
	}
	return ""
}
