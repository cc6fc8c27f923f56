package agent

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"meetguard"
	"meetguard/internal/alert"
)

// Unit is one inspected unit as `scan --json` prints it.
type Unit struct {
	Path      string              `json:"path"`
	PathB64   string              `json:"path_b64,omitempty"`
	SHA256    string              `json:"sha256"`
	Size      int64               `json:"size"`
	Format    meetguard.Format    `json:"format"`
	Level     meetguard.Level     `json:"level"`
	Brand     string              `json:"brand"`
	Score     int                 `json:"score"`
	Findings  []meetguard.Finding `json:"findings"`
	Signature UnitSignature       `json:"signature"`
	Origin    UnitOrigin          `json:"origin"`
	Inner     string              `json:"inner,omitempty"`
	Allowed   string              `json:"allowed,omitempty"` // the friend who allows it
	Note      string              `json:"note,omitempty"`    // what is to be known of a friend who does not
	Gaps      []UnitGap           `json:"gaps"`
}

// UnitSignature is the signature of a Unit.
type UnitSignature struct {
	Status    meetguard.SignatureStatus `json:"status"`
	Subject   string                    `json:"subject"`
	Issuer    string                    `json:"issuer"`
	TeamID    string                    `json:"team_id"`
	SigningID string                    `json:"signing_id"`
	Chain     string                    `json:"chain"`
	SignedAt  string                    `json:"signed_at"` // RFC 3339, or ""
	Serial    string                    `json:"serial,omitempty"`
	Detail    string                    `json:"detail,omitempty"`
	Remarks   []string                  `json:"remarks,omitempty"`
	Others    []string                  `json:"other_signers,omitempty"`
	Service   string                    `json:"service,omitempty"`
	Abused    string                    `json:"abused,omitempty"`
	Ticket    string                    `json:"ticket,omitempty"`
}

// UnitOrigin is the origin of a Unit.
type UnitOrigin struct {
	Host         string `json:"host"`
	ReferrerHost string `json:"referrer_host"`
}

// UnitGap is a gap of a Unit.
type UnitGap struct {
	Fact   string `json:"fact"`
	Reason string `json:"reason"`
}

// NewUnit joins facts and verdict for the outside.
func NewUnit(f meetguard.Facts, v meetguard.Verdict) Unit {
	path, changed := alert.SafeText(f.Path)
	u := Unit{Path: path, SHA256: f.SHA256, Size: f.Size, Format: f.Format, Level: v.Level, Brand: v.Brand, Score: v.Score, Findings: v.Findings, Gaps: []UnitGap{}}
	if changed {
		u.PathB64 = base64.StdEncoding.EncodeToString([]byte(f.Path))
	}
	u.Inner, _ = alert.SafeText(v.Inner)
	u.Allowed, u.Note = v.Allowed, v.Note
	s := f.Signature
	u.Signature = UnitSignature{Status: s.Status, Subject: s.Subject, Issuer: s.Issuer, TeamID: s.TeamID, SigningID: s.SigningID, Chain: s.Chain,
		Serial: s.Serial, Detail: s.Detail, Remarks: s.Remarks, Others: s.OtherSigners, Service: s.Service, Abused: s.Abused, Ticket: s.Ticket}
	if !s.SignedAt.IsZero() {
		u.Signature.SignedAt = s.SignedAt.UTC().Format(time.RFC3339)
	}
	u.Origin = UnitOrigin{f.Origin.Host, f.Origin.ReferrerHost}
	for _, g := range f.Gaps {
		u.Gaps = append(u.Gaps, UnitGap{g.Fact, g.Reason})
	}
	for _, m := range f.Members {
		for _, g := range m.Gaps {
			if g.Blinding && len(u.Gaps) < 16 {
				inner, _ := alert.SafeText(m.Path)
				u.Gaps = append(u.Gaps, UnitGap{g.Fact, inner + ": " + g.Reason})
			}
		}
	}
	return u
}

// JSON is the unit on one line.
func (u Unit) JSON() []byte {
	out, _ := json.Marshal(u) // strings, numbers and slices of them always encode
	return out
}

// Scan inspects files, and folders recursively, with as many workers as the
// Inspector has, and calls tell with the units in the order of the walk, some
// at a time. Links and special files inside folders are passed over.
func (in *Inspector) Scan(ctx context.Context, roots []string, workers int, tell func([]Unit) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in.folders = func() []string { return roots }
	jobs, walked := make(chan job, workers), make(chan struct{})
	order := make(chan job, 4*workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			select { // a further worker is worth its start only if there is much to do
			case <-time.After(time.Duration(i) * secondWorker):
			case <-walked:
				if i > 0 {
					return
				}
			}
			for j := range jobs {
				j.done <- in.units(ctx, j.paths)
			}
		})
	}
	var walkErr error
	wg.Go(func() {
		defer close(walked)
		defer close(order)
		defer close(jobs)
		walkErr = walkAll(roots, func(paths []string) error {
			j := job{paths, make(chan []Unit, 1)}
			select {
			case jobs <- j:
				order <- j
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	var tellErr error
	for j := range order {
		units := <-j.done
		if tellErr == nil {
			if tellErr = tell(units); tellErr != nil {
				cancel()
			}
		}
	}
	wg.Wait()
	if tellErr != nil {
		return tellErr
	}
	return walkErr
}

// secondWorker is how long a scan has to take to get a further worker.
const secondWorker = 3 * time.Second

// job is some units on their way through a scan.
type job struct {
	paths []string
	done  chan []Unit
}

// walkAll calls visit with batches of the units below roots, in order. What is
// no regular file goes alone.
func walkAll(roots []string, visit func([]string) error) error {
	var batch []string
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		full := batch
		batch = nil
		return visit(full)
	}
	for _, root := range roots {
		err := walk(root, func(path string, regular bool) error {
			if !regular {
				if err := flush(); err != nil {
					return err
				}
				return visit([]string{path})
			}
			if batch = append(batch, path); len(batch) == batchFiles {
				return flush()
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return flush()
}

func (in *Inspector) units(ctx context.Context, paths []string) []Unit {
	if len(paths) == 1 {
		return []Unit{in.unit(ctx, paths[0])}
	}
	out := make([]Unit, 0, len(paths))
	for _, f := range in.batch(ctx, paths) {
		out = append(out, NewUnit(f, in.Judge(f)))
	}
	return out
}

func (in *Inspector) unit(ctx context.Context, path string) Unit {
	f, _, err := in.Inspect(ctx, path)
	if err != nil { // it vanished between the walk and the look
		f = unreadable(path, "it vanished before it was read")
	}
	return NewUnit(f, in.Judge(f))
}

// walk calls visit for each unit below root, and says which are regular files.
// root itself may be anything.
func walk(root string, visit func(path string, regular bool) error) error {
	fi, err := os.Lstat(root)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return visit(root, false)
	}
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return visit(p, false) // a folder that cannot be read is told as incomplete
		case d.IsDir() && IsBundle(p):
			if err := visit(p, false); err != nil {
				return err
			}
			return fs.SkipDir
		case d.Type().IsRegular():
			return visit(p, true)
		}
		return nil
	})
}

// commandExt is the extension whose language fits a program's command lines.
func commandExt(program string) string {
	switch strings.TrimSuffix(strings.ToLower(program), ".exe") {
	case "powershell", "pwsh":
		return "ps1"
	case "cmd":
		return "bat"
	case "osascript":
		return "applescript"
	case "mshta", "rundll32", "regsvr32", "msiexec", "wscript", "cscript", "certutil", "bitsadmin":
		return "bat"
	}
	return "sh"
}
