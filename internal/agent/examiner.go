package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/box"
	"meetguard/internal/inspect"
	"meetguard/internal/script"
	"meetguard/internal/sign"
	"meetguard/internal/unpack"
	"meetguard/internal/worker"
	"meetguard/signatures"
)

// Limits of one inspection.
const (
	maxFile      = 2 << 30  // bytes; larger files are incomplete
	maxInMemory  = 1 << 20  // bytes; larger files are mapped
	maxMatches   = 64       // matches in one reply
	maxText      = 512      // bytes of one claim
	maxUserText  = 2048     // bytes of what the user reads in a script
	maxScript    = 16 << 20 // bytes; larger texts are no scripts that anybody runs by hand
	yaraTimeout  = 20 * time.Second
	workTimeout  = 45 * time.Second
	maxPlistSize = 1 << 20
)

// ExaminerConfig says what an Examiner loads before its first file.
type ExaminerConfig struct {
	Rules   string // folder with the operator's own YARA files, "" for none
	Anchors string // folder with further trust anchors, "" for none
	Abused  string // file with further abused certificates, "" for none
	Unboxed bool   // the process keeps its rights, see box.Enter
}

// Examiner turns the bytes of one file into facts. It runs in the worker
// process and is not safe for concurrent use.
type Examiner struct {
	rules    *ruleSets
	verifier *sign.Verifier
	logos    *inspect.Logos
	buf      []byte
	origin   meetguard.Origin // of the file under inspection
	sparse   *sparse          // likewise, if it has large holes
	unit     unit
	now      func() time.Time
	box      *box.Level // what the process is shut in; nil if it is not
}

// NewExaminer compiles the rules and loads the trust anchors.
func NewExaminer(cfg ExaminerConfig) (*Examiner, error) {
	rules, err := loadRules(cfg.Rules)
	if err != nil {
		return nil, err
	}
	v, err := sign.New()
	if err != nil {
		return nil, fmt.Errorf("load the trust anchors: %w", err)
	}
	if err := addAnchors(v, cfg.Anchors); err != nil {
		return nil, err
	}
	if err := addAbused(v, cfg.Abused); err != nil {
		return nil, err
	}
	logos, err := loadLogos()
	if err != nil {
		return nil, err
	}
	return &Examiner{rules: rules, verifier: v, logos: logos, buf: make([]byte, maxInMemory+1), now: time.Now}, nil
}

func loadLogos() (*inspect.Logos, error) {
	data, err := signatures.Icons()
	if err != nil {
		return nil, err
	}
	return inspect.ParseLogos(data)
}

func addAnchors(v *sign.Verifier, dir string) error {
	if dir == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("load trust anchors: no *.pem file in %s", dir)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("load trust anchors: %w", err)
		}
		if err := v.AddAnchors(data); err != nil {
			return fmt.Errorf("load trust anchors from %s: %w", f, err)
		}
	}
	return nil
}

// addAbused loads the list of abused certificates inside the program, and an
// operator's.
func addAbused(v *sign.Verifier, file string) error {
	own, err := signatures.Abused()
	if err == nil {
		err = v.AddAbused(own)
	}
	if err != nil {
		return fmt.Errorf("load the list of abused certificates: %w", err)
	}
	if file == "" {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("load abused certificates: %w", err)
	}
	if err := v.AddAbused(data); err != nil {
		return fmt.Errorf("load abused certificates from %s: %w", file, err)
	}
	return nil
}

// ServeWorker is the whole life of a worker process: it loads what it needs,
// shuts itself in and answers. If the Examiner cannot be made, every request is
// answered with the reason.
func ServeWorker(cfg ExaminerConfig) error {
	debug.SetPanicOnFault(true)
	ex, failed := NewExaminer(cfg)
	giveBack() // what loading needed is not needed again
	Thrifty(workerRoom)
	return worker.Serve(func(raw []byte, files []*os.File) []byte {
		if failed != nil {
			return encode(reply{Failed: failed.Error()})
		}
		req, contents, err := unseal(raw)
		if err != nil {
			return encode(reply{Failed: err.Error()})
		}
		return encode(ex.answer(req, contents, files))
	}, func() error {
		switch {
		case cfg.Unboxed:
		case failed == nil:
			level := box.Enter()
			ex.box = &level
		case box.OnTrial():
			return failed // it may have been born unable to read its rules
		}
		return nil
	})
}

func encode(r reply) []byte {
	out, err := json.Marshal(r)
	if err != nil {
		out, _ = json.Marshal(reply{Failed: "write the reply: " + err.Error()})
	}
	return out
}

func (ex *Examiner) answer(req request, contents []byte, files []*os.File) reply {
	src := &sources{contents, files}
	switch req.Op {
	case opReady:
		debug.FreeOSMemory() // asked when much was loaded
		return ex.boxed(ex.rules.ready())
	case opRules:
		return ex.boxed(ex.rules.list())
	case opCommand:
		return reply{Facts: ex.command(req)}
	case opFiles:
		return ex.files(req, src)
	case opPlist, opFile:
		return ex.file(req, src)
	case opApp:
		return ex.app(req, src)
	}
	return reply{Failed: "unknown operation " + req.Op}
}

// boxed adds to a reply what the process is shut in.
func (ex *Examiner) boxed(r reply) reply {
	r.Box = ex.box
	return r
}

func (ex *Examiner) files(req request, src *sources) reply {
	if len(req.Names) != len(req.Sizes) {
		return reply{Failed: fmt.Sprintf("%d names came with %d sizes", len(req.Names), len(req.Sizes))}
	}
	out := reply{Plains: make([]string, len(req.Names))}
	for i, name := range req.Names {
		r := ex.file(request{Op: opFile, Name: name, Inline: req.Sizes[i] >= 0, Size: req.Sizes[i], Origin: req.Origins[i]}, src)
		if out.Plains[i] = r.Plain; r.Plain == "" {
			out.Items = append(out.Items, r)
		}
	}
	return out
}

// sources are the contents of the files of one request, in its order.
type sources struct {
	contents []byte
	files    []*os.File
}

// file gathers every fact of one file from one view of its content.
func (ex *Examiner) file(req request, src *sources) (r reply) {
	data, release, err := ex.view(req, src)
	if err != nil {
		r.Facts = unknownFacts()
		r.Facts.Gaps = append(r.Facts.Gaps, blinding("content", err.Error()))
		return r
	}
	defer release()
	if req.Op == opPlist {
		r.Facts = unknownFacts()
		if len(data) <= maxPlistSize {
			r.Facts.Claims, r.Facts.Gaps = inspect.PlistClaims(data)
			r.Executable, r.Icon = inspect.PlistExecutable(data), inspect.PlistIcon(data)
		}
		return r
	}
	ex.origin = inspect.ParseOrigin(req.Origin)
	ex.unit.hints, ex.unit.locked = req.Hints, false
	r.Facts = ex.content(string(req.Name), "", data, 0)
	r.Facts.Origin = ex.origin
	r.Locked = ex.unit.locked
	return r.lean()
}

func unknownFacts() meetguard.Facts {
	return meetguard.Facts{Format: meetguard.FormatOther, Signature: meetguard.Signature{Status: meetguard.SignatureUnknown}}
}

// lean makes the reply short if the facts hold nothing but the digest, the
// format and the name that the Inspector knows already.
func (r reply) lean() reply {
	f := &r.Facts
	if len(f.Claims) != 1 || f.Claims[0].Source != meetguard.ClaimFileName || f.Script != nil || len(f.Matches)+len(f.Members)+len(f.Gaps) > 0 ||
		f.Origin != (meetguard.Origin{}) || f.Signature.Status != meetguard.SignatureUnknown {
		return r
	}
	return reply{Plain: plain(f)}
}

// view gives the content of the next file: as it came with the request, or of
// the next descriptor, a small file in the buffer and a larger one mapped.
func (ex *Examiner) view(req request, src *sources) ([]byte, func(), error) {
	if req.Inline {
		if req.Size < 0 || req.Size > len(src.contents) {
			return nil, nil, errors.New("the request is cut short")
		}
		data := src.contents[:req.Size:req.Size]
		src.contents = src.contents[req.Size:]
		return data, func() {}, nil
	}
	if len(src.files) == 0 {
		return nil, nil, errors.New("the file did not come with the request")
	}
	f := src.files[0]
	src.files = src.files[1:]
	fi, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("look at the file: %w", err)
	}
	if fi.Size() > maxFile {
		return nil, nil, fmt.Errorf("the file has %d bytes, more than the limit of %d", fi.Size(), int64(maxFile))
	}
	if fi.Size() > maxInMemory {
		if s, release := mapSparse(f, fi.Size()); s != nil {
			ex.sparse = s
			return s.data, func() { ex.sparse = nil; release() }, nil
		}
		data, release, err := mapFile(f, fi.Size())
		if err != nil {
			return nil, nil, fmt.Errorf("map the file: %w", err)
		}
		return data, release, nil
	}
	n, err := io.ReadFull(io.NewSectionReader(f, 0, maxInMemory+1), ex.buf)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, nil, fmt.Errorf("read the file: %w", err)
	}
	return ex.buf[:n], func() {}, nil
}

// content gathers the facts of content, whatever it came in and whatever its
// container does with it. Each parser runs alone: if one fails, its fact is a gap
// and the others still speak.
func (ex *Examiner) content(name, role string, data []byte, depth int) meetguard.Facts {
	f := &meetguard.Facts{Size: int64(len(data)), Role: role, Format: meetguard.FormatOther, Signature: meetguard.Signature{Status: meetguard.SignatureUnknown}}
	f.Claims = []meetguard.Claim{{Text: clipText(name, maxText), Source: meetguard.ClaimFileName}}
	stage(f, "content", true, func() {
		f.SHA256 = ex.sum(data)
		f.Format = inspect.Sniff(name, data)
	})
	if f.Format == meetguard.FormatPE { // before the names, which may be many
		stage(f, "names", false, func() {
			claims, gaps := ex.logos.IconClaims(data)
			f.Claims, f.Gaps = append(f.Claims, claims...), append(f.Gaps, gaps...)
		})
	}
	stage(f, "names", false, func() {
		claims, gaps := inspect.Claims(f.Format, data)
		f.Claims, f.Gaps = append(f.Claims, claims...), append(f.Gaps, gaps...)
	})
	if signable(f.Format) {
		stage(f, "signature", true, func() {
			var gaps []meetguard.Gap
			f.Signature, gaps = ex.verifier.Verify(bytes.NewReader(data), int64(len(data)), f.Format, ex.now())
			f.Gaps = append(f.Gaps, gaps...)
		})
		if f.Signature.SigningID != "" {
			f.Claims = append(f.Claims, meetguard.Claim{Text: f.Signature.SigningID, Source: meetguard.ClaimSigningID})
		}
	}
	switch f.Format {
	case meetguard.FormatShortcut, meetguard.FormatICS:
		stage(f, "link", true, func() { follow(f, name, data) })
	case meetguard.FormatOther, meetguard.FormatScript, meetguard.FormatAppleScript, meetguard.FormatHTML:
		stage(f, "script", true, func() { analyse(f, asScript(name, role, data), data) })
		if f.Format == meetguard.FormatHTML {
			stage(f, "link", false, func() { pageLinks(f, data) })
		}
		if f.Format == meetguard.FormatOther {
			stage(f, "mail", false, func() {
				if inspect.IsMail(name, data) {
					mail(f, data)
				}
			})
		}
		if f.Script != nil {
			stage(f, "signature", true, func() {
				if blockExt[nameExt(name)] || bytes.Contains(data, []byte("SIG")) {
					ex.verifyScript(f, name, data)
				}
			})
		}
	}
	stage(f, "vehicle", true, func() { vehicle(f, name, data) })
	stage(f, "yara", true, func() { ex.match(f, name, data) })
	stage(f, "members", true, func() { ex.members(f, name, data, depth) })
	bound(f)
	return *f
}

func (ex *Examiner) sum(data []byte) string {
	if ex.sparse.is(data) {
		return ex.sparse.sum()
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// stage runs one parser. A panic, also of a mapped file that shrinks under it,
// becomes a gap: so whatever reads a byte of the content is in a stage.
func stage(f *meetguard.Facts, fact string, blind bool, parse func()) {
	defer func() {
		if r := recover(); r != nil {
			f.Gaps = append(f.Gaps, meetguard.Gap{Fact: fact, Reason: "the parser failed on this file", Blinding: blind})
		}
	}()
	parse()
}

func signable(format meetguard.Format) bool {
	switch format {
	case meetguard.FormatPE, meetguard.FormatMachO, meetguard.FormatMSI, meetguard.FormatCab, meetguard.FormatMSIX, meetguard.FormatDMG, meetguard.FormatPKG,
		meetguard.FormatDeb, meetguard.FormatRPM, meetguard.FormatELF: // of ELF files only an AppImage has one
		return true
	}
	return false
}

// pageLinks adds where the links of a page lead.
func pageLinks(f *meetguard.Facts, data []byte) {
	hosts := inspect.PageHosts(data)
	if f.Script == nil && len(hosts) > 0 {
		f.Script = &meetguard.Script{Language: "link"}
	}
	for _, h := range hosts {
		if !contains(f.Script.Hosts, h) {
			f.Script.Hosts = append(f.Script.Hosts, h)
		}
	}
}

// blockExt are scripts that can carry a signature block.
var blockExt = map[string]bool{"ps1": true, "psm1": true, "psd1": true, "vbs": true, "vbe": true, "js": true, "jse": true, "wsf": true}

// verifyScript adds what the signature block of a script proves.
func (ex *Examiner) verifyScript(f *meetguard.Facts, name string, data []byte) {
	var gaps []meetguard.Gap
	f.Signature, gaps = ex.verifier.VerifyScript(name, data, ex.now())
	f.Gaps = append(f.Gaps, gaps...)
}

// scriptExt are the extensions that a double click runs as a script.
var scriptExt = map[string]bool{"scpt": true, "applescript": true, "command": true, "sh": true, "bat": true, "cmd": true, "ps1": true, "vbs": true, "vbe": true,
	"js": true, "jse": true, "wsf": true, "wsc": true, "sct": true, "hta": true, "py": true, "terminal": true, "tool": true}

// asScript is the name by which a script is told: a text that an installer runs
// is one even if neither its name nor its first line says so.
func asScript(name, role string, data []byte) string {
	switch {
	case role == "", scriptExt[nameExt(name)], bytes.HasPrefix(data, []byte("#!")), isNoise(data[:min(len(data), headSize)]):
	case role == unpack.RoleScript:
		return name + ".sh"
	case role == unpack.RoleAction:
		return name + ".cmd"
	}
	return name
}

// follow adds what a shortcut runs and where a link leads, as a script: its
// command line is analysed, an address is a host.
func follow(f *meetguard.Facts, name string, data []byte) {
	link := inspect.ReadShortcut(name, data)
	if link.Command != "" {
		analyse(f, "command."+link.Shell, []byte(link.Command))
	}
	if f.Script == nil && len(link.Hosts) > 0 {
		f.Script = &meetguard.Script{Language: "link", Hosts: link.Hosts}
	}
}

// analyse adds the structure of a script. Plain text that is none stays other.
func analyse(f *meetguard.Facts, name string, data []byte) {
	if len(data) > maxScript {
		if f.Format != meetguard.FormatOther || scriptExt[nameExt(name)] {
			f.Gaps = append(f.Gaps, blinding("script", fmt.Sprintf("the script has %d bytes, more than the limit of %d", len(data), maxScript)))
		}
		return
	}
	s, userText := script.Analyse(name, data)
	if s != nil && contains(s.Traits, script.TraitAnalysisLimit) {
		f.Gaps = append(f.Gaps, blinding("script", "the script is larger or deeper than what is analysed"))
	}
	if s == nil {
		return
	}
	f.Script = s
	if f.Format == meetguard.FormatOther {
		f.Format = meetguard.FormatScript
	}
	if userText != "" {
		f.Claims = append(f.Claims, meetguard.Claim{Text: clipText(userText, maxUserText), Source: meetguard.ClaimBanner})
	}
}

// command gives the structure of a command line, as a script of one line.
func (ex *Examiner) command(req request) meetguard.Facts {
	f := meetguard.Facts{Format: meetguard.FormatOther, Signature: meetguard.Signature{Status: meetguard.SignatureUnknown}}
	stage(&f, "command line", true, func() { analyse(&f, "command."+req.Shell, []byte(req.Command)) })
	bound(&f)
	return f
}

// match runs the set of YARA rules that fits the format. Scripts are matched
// as normalised text, so that rules see what the padding and the pieces hide.
func (ex *Examiner) match(f *meetguard.Facts, name string, data []byte) {
	if ex.sparse.is(data) && len(data) > wholeSparse {
		if data = ex.sparse.dense; setOf(f) != "" || ex.rules.has(setForeign) {
			f.Gaps = append(f.Gaps, meetguard.Gap{Fact: "yara", Reason: fmt.Sprintf("%d bytes of holes were not searched", ex.sparse.passedOver())})
		}
	}
	add := func(set string, data []byte) {
		found, err := ex.rules.scan(set, data, externals(f, name, ex.origin))
		if err != nil {
			f.Gaps = append(f.Gaps, blinding("yara", err.Error()))
		}
		f.Matches = append(f.Matches, found...)
	}
	if f.Script != nil && f.Script.Tail != "" { // what was recognised as idle has no text
		add(setScript, []byte(f.Script.Tail))
	}
	if set := setOf(f); set != "" {
		add(set, data)
	}
	if ex.rules.has(setForeign) {
		ex.matchOnce(f, setForeign, name, data)
		if f.Script != nil && f.Script.Tail != "" {
			ex.matchOnce(f, setForeign, name, []byte(f.Script.Tail))
		}
	}
	if len(f.Matches) > maxMatches {
		f.Matches = f.Matches[:maxMatches]
	}
}

// matchOnce runs a set over something that other rules have seen in another form,
// or over a part of it, and keeps each match once.
func (ex *Examiner) matchOnce(f *meetguard.Facts, set, name string, data []byte) {
	found, err := ex.rules.scan(set, data, externals(f, name, ex.origin))
	if err != nil {
		f.Gaps = append(f.Gaps, blinding("yara", err.Error()))
	}
	for _, m := range found {
		same := func(old meetguard.Match) bool { return old.Rule == m.Rule }
		if len(f.Matches) < maxMatches && !slices.ContainsFunc(f.Matches, same) {
			f.Matches = append(f.Matches, m)
		}
	}
}

// maxGaps is how many gaps a reply tells of one unit.
const maxGaps = 64

// bound keeps a reply small whatever a file holds.
func bound(f *meetguard.Facts) {
	const many = maxGaps
	f.Claims = f.Claims[:min(len(f.Claims), many)]
	for i := range f.Claims {
		f.Claims[i].Text = clipText(f.Claims[i].Text, maxUserText)
	}
	f.Gaps = f.Gaps[:min(len(f.Gaps), many)]
	if s := f.Script; s != nil {
		s.Fetches, s.Hosts = s.Fetches[:min(len(s.Fetches), many)], s.Hosts[:min(len(s.Hosts), many)]
	}
}

func blinding(fact, reason string) meetguard.Gap {
	return meetguard.Gap{Fact: fact, Reason: clipText(reason, maxText), Blinding: true}
}

func clipText(s string, limit int) string {
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}

// nameExt is the extension of a name in lower case, without the dot.
func nameExt(name string) string { return strings.TrimPrefix(strings.ToLower(path.Ext(name)), ".") }
