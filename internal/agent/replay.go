package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/chain"
)

// systemName is the operating system of this program, as events name it.
const systemName = runtime.GOOS

// maxEvent bounds one line of recorded events, in bytes.
const maxEvent = 1 << 20

// LaunchUnit is a launch that is not clean, as `replay --json` prints it.
type LaunchUnit struct {
	Unit
	PID   int              `json:"pid"`
	PPID  int              `json:"ppid"`
	Exe   string           `json:"exe"`
	OS    string           `json:"os"`
	Time  string           `json:"time,omitempty"` // RFC 3339
	Chain string           `json:"chain"`          // the same for every launch of one chain
	Story []meetguard.Step `json:"story"`          // oldest first, the launch itself last
}

// JSON is the unit on one line.
func (u LaunchUnit) JSON() []byte {
	out, _ := json.Marshal(u) // strings, numbers and slices of them always encode
	return out
}

// Replayed counts what a replay met.
type Replayed struct {
	Launches int
	Broken   int    // lines that are no event
	First    string // what is wrong with the first of them, with its number
}

// Replay judges recorded launches in their order and calls tell with each that
// is not clean. No path of the events is touched. Lines that are no event are
// counted, and the rest is judged without them.
func (in *Inspector) Replay(ctx context.Context, events io.Reader, tell func(LaunchUnit) error) (Replayed, error) {
	var n Replayed
	track := chain.New()
	lines := bufio.NewReaderSize(events, 64<<10)
	for number := 1; ; number++ {
		line, err := readLine(lines)
		if err == io.EOF {
			return n, nil
		}
		var p *meetguard.Process
		if err == nil {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			p, err = readEvent(line)
		} else if !errors.Is(err, errLongLine) {
			return n, fmt.Errorf("read events: %w", err)
		}
		if err != nil {
			if n.Broken++; n.First == "" {
				n.First = fmt.Sprintf("line %d: %v", number, err)
			}
			continue
		}
		n.Launches++
		if err := in.replayOne(ctx, track, p, tell); err != nil {
			return n, err
		}
	}
}

func (in *Inspector) replayOne(ctx context.Context, track *chain.Tracker, p *meetguard.Process, tell func(LaunchUnit) error) error {
	track.Ancestry(p)
	f := recorded(p)
	in.commandLine(ctx, &f)
	if err := ctx.Err(); err != nil {
		return err
	}
	track.Add(&f)
	in.matchLaunch(&f)
	v := in.Judge(f)
	if v.Level == meetguard.Clean {
		return nil
	}
	return tell(newLaunchUnit(f, v))
}

func newLaunchUnit(f meetguard.Facts, v meetguard.Verdict) LaunchUnit {
	p := f.Process
	u := LaunchUnit{Unit: NewUnit(f, v), PID: p.PID, PPID: p.PPID, OS: p.OS, Chain: f.Chain, Story: []meetguard.Step{}}
	u.Exe, _ = alert.SafeText(p.Exe)
	if !p.Started.IsZero() {
		u.Time = p.Started.UTC().Format(time.RFC3339Nano)
	}
	for _, s := range f.Story {
		if len(s.Deeds) > 0 || s.Link == meetguard.LinkAncestor || s.Link == meetguard.LinkSelf {
			u.Story = append(u.Story, safeStep(s))
		}
	}
	return u
}

// safeStep escapes the names of a step.
func safeStep(s meetguard.Step) meetguard.Step {
	s.Exe, _ = alert.SafeText(s.Exe)
	deeds := make([]meetguard.Deed, len(s.Deeds))
	for i, d := range s.Deeds {
		d.File, _ = alert.SafeText(d.File)
		d.From, _ = alert.SafeText(d.From)
		d.Host, _ = alert.SafeText(d.Host)
		deeds[i] = d
	}
	s.Deeds = deeds
	return s
}

// recorded are the facts of a launch that only its event is known of.
func recorded(p *meetguard.Process) meetguard.Facts {
	f := meetguard.Facts{Path: p.Exe, Format: recordedFormat(p), Process: p, Origin: meetguard.Origin{Host: p.OriginHost},
		Signature: meetguard.Signature{Status: meetguard.SignatureUnknown}}
	if p.Signature != nil {
		f.Signature = *p.Signature
	}
	slashed := strings.ReplaceAll(p.Exe, `\`, "/")
	f.Claims = []meetguard.Claim{{Text: clipText(path.Base(slashed), maxText), Source: meetguard.ClaimFileName}}
	if before, _, ok := strings.Cut(slashed, ".app/Contents/MacOS/"); ok {
		f.Claims = append(f.Claims, meetguard.Claim{Text: clipText(path.Base(before)+".app", maxText), Source: meetguard.ClaimFileName})
	}
	if id := f.Signature.SigningID; id != "" {
		f.Claims = append(f.Claims, meetguard.Claim{Text: clipText(id, maxText), Source: meetguard.ClaimSigningID})
	}
	return f
}

// recordedFormat is what a system's programs are. A script that the kernel
// hands to its interpreter is not told from a program by its event.
func recordedFormat(p *meetguard.Process) meetguard.Format {
	switch p.OS {
	case "windows":
		return meetguard.FormatPE
	case "darwin":
		return meetguard.FormatMachO
	case "linux":
		return meetguard.FormatELF
	}
	return meetguard.FormatOther
}

var errLongLine = fmt.Errorf("it is longer than %d bytes", maxEvent)

// readLine reads one line of at most maxEvent bytes; the rest of a longer one
// is passed over.
func readLine(r *bufio.Reader) ([]byte, error) {
	var out []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(out) <= maxEvent {
			out = append(out, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(out) == 0:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		case len(out) > maxEvent:
			return nil, errLongLine
		}
		return out, nil
	}
}

// event is a recorded launch as the contract has it.
type event struct {
	OS          string          `json:"os"`
	Time        string          `json:"time"`
	PID         *int            `json:"pid"`
	PPID        int             `json:"ppid"`
	Exe         string          `json:"exe"`
	Args        []string        `json:"args"`
	CommandLine string          `json:"command_line"`
	Cwd         string          `json:"cwd"`
	User        string          `json:"user"`
	Signature   *eventSignature `json:"signature"`
	OriginHost  string          `json:"origin_host"`
}

// eventSignature is the signature of an event: the keys of `scan --json`.
type eventSignature struct {
	Status     string `json:"status"`
	Subject    string `json:"subject"`
	CommonName string `json:"common_name"`
	Issuer     string `json:"issuer"`
	TeamID     string `json:"team_id"`
	SigningID  string `json:"signing_id"`
	Chain      string `json:"chain"`
	SignedAt   string `json:"signed_at"`
}

// readEvent reads one line. Keys that it does not know are passed over; of
// those that it knows, os may be told by the path.
func readEvent(line []byte) (*meetguard.Process, error) {
	var e event
	if err := json.Unmarshal(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")), &e); err != nil {
		return nil, fmt.Errorf("it is no event: %w", err)
	}
	if e.PID == nil {
		return nil, errors.New("it has no pid")
	}
	p := &meetguard.Process{PID: *e.PID, PPID: e.PPID, OS: systemOf(e), Exe: e.Exe, Args: e.Args, CommandLine: clipText(e.CommandLine, maxRequestText),
		Cwd: e.Cwd, User: e.User, Source: "replay", OriginHost: strings.ToLower(e.OriginHost), Signature: e.Signature.read()}
	if e.Time != "" {
		at, err := time.Parse(time.RFC3339Nano, e.Time)
		if err != nil {
			return nil, fmt.Errorf("its time is not of RFC 3339: %w", err)
		}
		p.Started = at
	}
	if len(p.Args) == 0 && p.CommandLine != "" {
		p.Args = chain.Split(p.OS, p.CommandLine)
	}
	if p.Exe == "" && len(p.Args) > 0 {
		p.Exe = p.Args[0]
	}
	if p.Exe == "" {
		return nil, errors.New("it has no exe")
	}
	return p, nil
}

func systemOf(e event) string {
	switch system := strings.ToLower(e.OS); {
	case system == "macos" || system == "mac":
		return "darwin"
	case system != "":
		return system
	case strings.Contains(e.Exe, `\`):
		return "windows"
	case strings.HasPrefix(e.Exe, "/Applications/"), strings.HasPrefix(e.Exe, "/System/"), strings.HasPrefix(e.Exe, "/Users/"):
		return "darwin"
	}
	return "linux"
}

func (e *eventSignature) read() *meetguard.Signature {
	if e == nil {
		return nil
	}
	s := &meetguard.Signature{Status: meetguard.SignatureUnknown, Subject: e.Subject, CommonName: e.CommonName, Issuer: e.Issuer, TeamID: e.TeamID, SigningID: e.SigningID, Chain: e.Chain}
	switch status := meetguard.SignatureStatus(strings.ToLower(e.Status)); status {
	case meetguard.SignatureUnsigned, meetguard.SignatureAdhoc, meetguard.SignatureValid, meetguard.SignatureInvalid, meetguard.SignatureUntrusted:
		s.Status = status
	}
	if at, err := time.Parse(time.RFC3339Nano, e.SignedAt); err == nil {
		s.SignedAt = at
	}
	return s
}
