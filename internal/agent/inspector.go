package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"meetguard"
	"meetguard/internal/box"
	"meetguard/internal/config"
	"meetguard/internal/detect"
	"meetguard/internal/inspect"
	"meetguard/internal/watch"
	"meetguard/internal/worker"
	"meetguard/signatures"
)

// Inspector turns paths into facts and verdicts. It opens files, hands them to
// the worker and never looks into them itself. It is safe for concurrent use.
type Inspector struct {
	pool    *worker.Pool
	starter *box.Starter
	judge   *detect.Judge
	policy  string // names what the operator added to the judge
	version string // of what facts depend on besides the file: rules and anchors
	facts   *factStore
	sigma   *launchRules
	cfg     InspectorConfig
	folders func() []string           // what somebody named, see open; nil for nothing
	box     atomic.Pointer[box.Level] // of the worker, as it told last
}

// InspectorConfig says how the worker is started.
type InspectorConfig struct {
	Command []string // argv of the worker process
	Unboxed []string // the same of one that shuts itself in no box, see settle; nil for never
	Workers int      // processes at most
	Spare   int      // further ones, in place of such as are busy with what takes longer than sidePatience
	Log     *slog.Logger
}

// NewInspector loads the brand catalogue. No worker is started before it is
// needed.
func NewInspector(cfg InspectorConfig) (*Inspector, error) {
	judge, err := NewJudge(config.Config{})
	if err != nil {
		return nil, err
	}
	starter := new(box.Starter)
	return &Inspector{cfg: cfg, starter: starter, pool: newPool(cfg, cfg.Command, starter.Start), judge: judge, facts: newFactStore(storeEntries, storeBytes), version: signatures.Version(), sigma: newLaunchRules("")}, nil
}

func newPool(cfg InspectorConfig, argv []string, start func(*exec.Cmd) error) *worker.Pool {
	return worker.NewPool(worker.Config{Command: argv, Count: cfg.Workers, Timeout: workTimeout, Patience: sidePatience, Spare: cfg.Spare, Log: cfg.Log, Start: start})
}

// Close ends the workers.
func (in *Inspector) Close() { in.pool.Close() }

// Judge gives the verdict over facts.
func (in *Inspector) Judge(f meetguard.Facts) meetguard.Verdict {
	return in.judge.JudgeOn(f, time.Now().UTC().Format(time.DateOnly))
}

// Host judges a host name.
func (in *Inspector) Host(host string) detect.HostVerdict { return in.judge.Host(host) }

// HostVerdict is the judgement over one host or link.
type HostVerdict = detect.HostVerdict

// NewJudge gives the judge alone, for what needs no inspection.
func NewJudge(cfg config.Config) (*detect.Judge, error) {
	brands, err := Catalogue(cfg)
	if err != nil {
		return nil, err
	}
	return judgeOf(brands, nil)
}

// judgeOf makes a judge of brands and friends that knows the sources of software.
func judgeOf(brands []meetguard.Brand, friends []meetguard.Friend) (*detect.Judge, error) {
	sources, err := signatures.Distributors()
	if err != nil {
		return nil, fmt.Errorf("load the sources of software: %w", err)
	}
	judge := detect.NewWith(brands, friends)
	judge.Know(sources)
	return judge, nil
}

// Check starts a worker and fails if it cannot do its work.
func (in *Inspector) Check(ctx context.Context) error {
	return in.settle(ctx, request{Op: opReady})
}

// Rule is one rule as people see it, whether it judges facts or is YARA.
type Rule struct {
	ID          string   `json:"id"`
	Kind        string   `json:"kind"` // "facts", "yara/" and the set, or "sigma"
	Weight      int      `json:"weight"`
	Technique   string   `json:"technique"`
	Description string   `json:"description,omitempty"`
	Families    []string `json:"families,omitempty"`  // whose reports it was made from
	Reference   string   `json:"reference,omitempty"` // of a YARA rule: the report that it names
}

// AllRules lists the rules of the judge, those in YARA and those over launches
// in Sigma.
func (in *Inspector) AllRules(ctx context.Context) ([]Rule, error) {
	var out []Rule
	for _, r := range detect.Rules() {
		out = append(out, Rule{ID: r.ID, Kind: "facts", Weight: r.Weight, Technique: r.Technique, Families: r.Families})
	}
	yara, err := in.Rules(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range yara {
		id := r.Meta["id"]
		if id == "" {
			id = r.Name
		}
		out = append(out, Rule{ID: id, Kind: "yara/" + r.Set, Weight: detect.MatchWeight(r.Meta), Technique: r.Meta["technique"], Description: r.Meta["description"],
			Families: detect.Families(r.Meta["family"]), Reference: r.Meta["reference"]})
	}
	launches, err := in.sigma.list()
	return append(out, launches...), err
}

// Without switches rules off, by their ids. One that does not exist is an error,
// because whoever misspells an id believes that the rule is off.
func (in *Inspector) Without(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	all, err := in.AllRules(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(r Rule) bool { return r.ID == id }) {
			return fmt.Errorf("switch off rule %q: there is none of that name, see `meetguard rules list`", id)
		}
	}
	in.judge = in.judge.Without(ids)
	return nil
}

// Rules lists the YARA rules that the worker has loaded. It fails if they do
// not compile, and so doubles as the check that a worker works at all.
func (in *Inspector) Rules(ctx context.Context) ([]RuleInfo, error) {
	r, err := in.ask(ctx, request{Op: opRules})
	return r.Rules, err
}

// IsBundle says whether a folder is one unit: an application or a script
// bundle of macOS.
func IsBundle(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".app", ".prefpane", ".workflow", ".action", ".pkg", ".mpkg", ".saver", ".qlgenerator", ".mdimporter", ".service":
		return exists(filepath.Join(path, "Contents"))
	case ".scptd":
		return true
	}
	return false
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Inspect gathers the facts of one unit: a regular file or a bundle. It never
// fails: what could not be read is a gap, and the identity tells which content
// was looked at. The error is that of a missing path only.
func (in *Inspector) Inspect(ctx context.Context, path string) (meetguard.Facts, watch.Identity, error) {
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return meetguard.Facts{}, watch.Identity{}, err
	}
	if err != nil {
		return unreadable(path, whyNot(err)), watch.Identity{}, nil
	}
	if fi.IsDir() && IsBundle(path) {
		id, err := watch.Identify(path) // before the look: what changes during it brings the bundle back
		if err != nil {
			return unreadable(path, reason(err)), id, nil
		}
		return in.bundle(ctx, path), id, nil
	}
	if !fi.Mode().IsRegular() {
		return unreadable(path, "it is "+kindOf(fi.Mode())+", which is not opened"), watch.IdentityOf(fi), nil
	}
	f, id := in.file(ctx, path)
	return f, id, nil
}

// Known gives the facts of a launched file that was inspected before and did not
// change since, or inspects it.
func (in *Inspector) Known(ctx context.Context, path string) (meetguard.Facts, watch.Identity, error) {
	real := where(path)
	f, id, known := in.remembered(real)
	var err error
	if !known {
		f, id, err = in.Inspect(ctx, real)
	}
	f.Path = path
	return f, id, err
}

// remembered gives the facts of a file that did not change since it was
// inspected. It asks no worker.
func (in *Inspector) remembered(real string) (meetguard.Facts, watch.Identity, bool) {
	id, err := watch.Identify(real)
	if err != nil {
		return meetguard.Facts{}, id, false
	}
	f, known := in.facts.byIdentity(id, real, in.version)
	return f, id, known
}

func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

// file inspects one regular file through one descriptor. A file that changes
// while it is read is read once more, and then given up for this time: its
// next event will bring it back.
func (in *Inspector) file(ctx context.Context, path string) (meetguard.Facts, watch.Identity) {
	var f meetguard.Facts
	var id watch.Identity
	for range 2 {
		var changed bool
		if f, id, changed = in.once(ctx, path); !changed {
			in.facts.put(id, in.version, f)
			return f, id
		}
	}
	f.Gaps = append(f.Gaps, blinding("content", "the file changed while it was read"))
	return f, id
}

func (in *Inspector) once(ctx context.Context, path string) (_ meetguard.Facts, id watch.Identity, changed bool) {
	o, f := in.openUnit(path, nil)
	if o == nil {
		return f, id, false
	}
	defer o.close()
	r, err := in.ask(ctx, o.request, o)
	if err != nil {
		f := unreadable(path, whyNot(err))
		f.Size = o.size
		return f, o.id, false
	}
	if r.Locked && o.file != nil || r.Locked && o.content != nil {
		r = in.withHints(ctx, o, r)
	}
	f, changed = o.facts(r)
	return f, o.id, changed
}

// opened is a file on its way to the worker.
type opened struct {
	path    string
	file    *os.File // nil once a small file was read
	content []byte   // of a small file
	changed bool     // it changed while it was read
	id      watch.Identity
	size    int64
	request request
	gaps    []meetguard.Gap
}

// smallFile is how large a file may be, in bytes, to be read here and sent with
// the request: handing over a descriptor costs more.
const smallFile = 64 << 10

// openUnit opens a regular file, or says in facts why it cannot. A small one is
// read at once, its content appended to buf.
func (in *Inspector) openUnit(path string, buf []byte) (*opened, meetguard.Facts) {
	file, err := in.open(path)
	if err != nil {
		return nil, unreadable(path, whyNot(err))
	}
	before, err := file.Stat()
	if err != nil || !before.Mode().IsRegular() {
		file.Close()
		return nil, unreadable(path, "it is no regular file any more")
	}
	o := &opened{path: path, file: file, id: watch.IdentityOf(before), size: before.Size()}
	var origin inspect.RawOrigin
	origin, o.gaps = inspect.ReadOrigin(file)
	o.request = request{Op: opFile, Name: []byte(filepath.Base(path)), Origin: origin}
	if o.size <= smallFile && readsAtOnce(file) {
		if err := o.read(buf); err != nil {
			o.close()
			return nil, unreadable(path, reason(err))
		}
	}
	return o, meetguard.Facts{}
}

// read takes the content of a small file and closes it.
func (o *opened) read(buf []byte) error {
	at := len(buf)
	buf = slices.Grow(buf, int(o.size)+1)
	n, err := io.ReadFull(o.file, buf[at:at+int(o.size)+1]) // a byte more than there should be
	if err != io.ErrUnexpectedEOF && err != io.EOF && err != nil {
		return err
	}
	o.content = buf[at : at+n]
	o.changed = int64(n) != o.size || o.moved()
	o.request.Inline, o.request.Size = true, n
	o.close()
	return nil
}

// moved says whether the file is another one than when it was opened.
func (o *opened) moved() bool {
	after, err := o.file.Stat()
	return err != nil || watch.IdentityOf(after) != o.id
}

func (o *opened) close() {
	if o.file != nil {
		o.file.Close()
		o.file = nil
	}
}

// facts completes what the worker answered, and says whether the file changed
// meanwhile.
func (o *opened) facts(r reply) (meetguard.Facts, bool) {
	f := r.Facts
	if r.Plain != "" {
		f = unplain(r.Plain)
		f.Size = o.size
		f.Claims = []meetguard.Claim{{Text: clipText(filepath.Base(o.path), maxText), Source: meetguard.ClaimFileName}}
	}
	f.Path = o.path
	f.Gaps = append(f.Gaps, o.gaps...)
	return f, o.changed || o.file != nil && o.moved()
}

// Batches: the exchange with the worker would otherwise cost more than the
// inspection of most files. A batch is small enough that the time limit of one
// request is none in practice.
const (
	batchFiles   = 256       // that one request is about
	batchBytes   = 768 << 10 // of small files
	batchLarge   = 64 << 20  // bytes of files that travel as descriptors
	batchHandles = 32
)

// batch inspects several units with few requests. Whatever goes wrong with a
// request, each of its files then has one of its own, so that a hostile one
// spoils nothing but itself.
func (in *Inspector) batch(ctx context.Context, paths []string) []meetguard.Facts {
	out := make([]meetguard.Facts, len(paths))
	pooled := batchBuffers.Get().(*[]byte)
	defer batchBuffers.Put(pooled)
	buf := (*pooled)[:0]
	var open []*opened
	var at []int
	var handles int
	var large int64
	flush := func() {
		for k, f := range in.together(ctx, open) {
			out[at[k]] = f
		}
		open, at, buf, handles, large = open[:0], at[:0], buf[:0], 0, 0
	}
	for i, path := range paths {
		o, f := in.openUnit(path, buf)
		if o == nil {
			out[i] = f
			continue
		}
		open, at, buf = append(open, o), append(at, i), buf[:len(buf)+len(o.content)]
		if o.file != nil {
			handles, large = handles+1, large+o.size
		}
		if len(buf) > batchBytes || handles == batchHandles || large > batchLarge {
			flush()
		}
	}
	flush()
	return out
}

var batchBuffers = sync.Pool{New: func() any {
	buf := make([]byte, 0, batchBytes+smallFile+1)
	return &buf
}}

// together inspects files with one request and closes them.
func (in *Inspector) together(ctx context.Context, open []*opened) []meetguard.Facts {
	if len(open) == 0 {
		return nil
	}
	req := request{Op: opFiles, Names: make([][]byte, len(open)), Sizes: make([]int, len(open))}
	for i, o := range open {
		req.Names[i], req.Sizes[i] = o.request.Name, -1
		if o.file == nil {
			req.Sizes[i] = len(o.content)
		}
		if !o.request.Origin.Empty() {
			if req.Origins == nil {
				req.Origins = map[int]inspect.RawOrigin{}
			}
			req.Origins[i] = o.request.Origin
		}
	}
	r, err := in.ask(ctx, req, open...)
	out := make([]meetguard.Facts, len(open))
	for k, o := range open {
		one, ok := r.next(k)
		changed := true
		if err == nil && ok {
			out[k], changed = o.facts(one)
		}
		o.close()
		if changed || one.Locked {
			out[k], _ = in.file(ctx, o.path)
		}
	}
	return out
}

// reason is an error without the path that it is about, for a gap.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Op + ": " + pe.Err.Error()
	}
	return err.Error()
}

func unreadable(path, why string) meetguard.Facts {
	name := filepath.Base(path)
	return meetguard.Facts{Path: path, Format: meetguard.FormatOther, Signature: meetguard.Signature{Status: meetguard.SignatureUnknown},
		Claims: []meetguard.Claim{{Text: name, Source: meetguard.ClaimFileName}}, Gaps: []meetguard.Gap{blinding("content", why)}}
}

// ask sends a request, with the content or the descriptors of the files that it
// is about, and returns the reply.
func (in *Inspector) ask(ctx context.Context, req request, about ...*opened) (reply, error) {
	u, err := in.begin(ctx, req, about...)
	if err != nil {
		return reply{}, err
	}
	return in.await(u)
}

// begin is the first half of ask, see worker.Pool.Begin.
func (in *Inspector) begin(ctx context.Context, req request, about ...*opened) (*worker.Underway, error) {
	head, err := req.seal()
	if err != nil {
		return nil, err
	}
	parts := append(make([][]byte, 0, 1+len(about)), head)
	var files []*os.File
	for _, o := range about {
		if o.file != nil {
			files = append(files, o.file)
		} else {
			parts = append(parts, o.content)
		}
	}
	return in.pool.Begin(ctx, parts, files...)
}

// await is the second half.
func (in *Inspector) await(u *worker.Underway) (reply, error) {
	answer, err := u.Wait()
	if err != nil {
		return reply{}, err
	}
	var r reply
	if err := json.Unmarshal(answer, &r); err != nil {
		return reply{}, &worker.Failure{Reason: "the inspection gave no readable answer"}
	}
	if r.Box != nil {
		in.box.Store(r.Box)
	}
	if r.Failed != "" {
		return reply{}, errors.New(r.Failed)
	}
	return r, nil
}
