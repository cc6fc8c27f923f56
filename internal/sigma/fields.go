package sigma

import (
	"runtime"
	"strconv"
	"strings"
	"time"

	"meetguard"
)

// Fields that are none.
const (
	anyField = -1 // of a keyword: every field
	noField  = -2
)

// term is a field that launches have, and where it is read. No value is null.
type term struct {
	name string
	read func(*meetguard.Facts) []string
}

// taxonomy names the fields: those of Sigma's process_creation, as far as they
// are known of a launch, and behind them our own.
var taxonomy = []term{
	{"Image", func(f *meetguard.Facts) []string { return image(f.Process.Exe, systemOf(f.Process)) }},
	{"CommandLine", func(f *meetguard.Facts) []string { return one(commandLine(f.Process)) }},
	{"ParentImage", func(f *meetguard.Facts) []string { return ancestorImage(f, 0) }},
	{"ParentCommandLine", func(f *meetguard.Facts) []string {
		if len(f.Process.Ancestors) == 0 {
			return nil
		}
		return one(commandLine(&f.Process.Ancestors[0]))
	}},
	{"User", func(f *meetguard.Facts) []string { return one(f.Process.User) }},
	{"CurrentDirectory", func(f *meetguard.Facts) []string { return one(f.Process.Cwd) }},
	{"OriginalFileName", claim(meetguard.ClaimOriginal)},
	{"Company", claim(meetguard.ClaimCompanyName)},
	{"Product", claim(meetguard.ClaimProductName)},
	{"Description", claim(meetguard.ClaimDescription)},
	{"Hashes", hashes},
	{"sha256", func(f *meetguard.Facts) []string { return one(f.SHA256) }},

	{"GrandparentImage", func(f *meetguard.Facts) []string { return ancestorImage(f, 1) }},
	{"AncestorImages", ancestorImages}, // paths, the parent first
	{"Ancestors", ancestors},           // their base names
	{"Signer", func(f *meetguard.Facts) []string { return one(signer(&f.Signature)) }},                 // subject of a valid signature
	{"SignatureStatus", func(f *meetguard.Facts) []string { return one(status(&f.Signature)) }},        // null while it is unknown
	{"TeamID", func(f *meetguard.Facts) []string { return one(valid(&f.Signature, "team")) }},          // of a valid signature
	{"SigningID", func(f *meetguard.Facts) []string { return one(valid(&f.Signature, "identifier")) }}, // of a valid signature
	{"OriginHost", func(f *meetguard.Facts) []string { return one(f.Origin.Host) }},
	{"OriginReferrerHost", func(f *meetguard.Facts) []string { return one(f.Origin.ReferrerHost) }},
	{"DownloadAgeSeconds", downloadAge},
	{"FetchHost", fetches(func(x *meetguard.Fetch) string { return x.Host })},   // of downloads in the command line
	{"FetchTool", fetches(func(x *meetguard.Fetch) string { return x.Tool })},   // that fetches
	{"FetchRunBy", fetches(func(x *meetguard.Fetch) string { return x.RunBy })}, // that runs what was fetched
	{"FetchTo", fetches(func(x *meetguard.Fetch) string { return x.To })},       // where to: pipe, temp, file, variable
	{"Hosts", script(func(s *meetguard.Script) []string { return s.Hosts })},    // of every URL in the command line
	{"Traits", script(func(s *meetguard.Script) []string { return s.Traits })},  // of the command line as a script
	{"Pretexts", script(func(s *meetguard.Script) []string { return s.Pretexts })},
}

// downloadAge is how long before the launch its executable or its script landed,
// in whole seconds; null if that was not seen.
func downloadAge(f *meetguard.Facts) []string {
	if f.Landed == nil || f.Landed.Time.IsZero() || f.Process.Started.Before(f.Landed.Time) {
		return nil
	}
	return one(strconv.FormatInt(int64(f.Process.Started.Sub(f.Landed.Time)/time.Second), 10))
}

// maxValue bounds one value of a field, in bytes: what Linux allows one argument
// to have.
const maxValue = 128 << 10

func one(s string) []string {
	if s == "" {
		return nil
	}
	if len(s) > maxValue {
		s = s[:maxValue]
	}
	return []string{s}
}

// systemOf is the system of a launch. Live sources need not name their own.
func systemOf(p *meetguard.Process) string {
	if p.OS == "" {
		return runtime.GOOS
	}
	return p.OS
}

// image is the path of an executable. Of a recorded one only the base name may
// be known; rules ask for "\cmd.exe" and "/sh", so it gets a separator.
func image(exe, os string) []string {
	if exe == "" || strings.ContainsAny(exe, `/\`) {
		return one(exe)
	}
	if os == "windows" {
		return one(`\` + exe)
	}
	return one("/" + exe)
}

// commandLine joins arguments with blanks, as the logs do that rules are
// written for. Windows' own programs quote what holds a blank.
func commandLine(p *meetguard.Process) string {
	if len(p.Args) == 0 {
		return p.CommandLine
	}
	if systemOf(p) != "windows" {
		return strings.Join(p.Args, " ")
	}
	words := make([]string, len(p.Args))
	for i, w := range p.Args {
		if words[i] = w; w == "" || strings.ContainsAny(w, " \t") && !strings.Contains(w, `"`) {
			words[i] = `"` + w + `"`
		}
	}
	return strings.Join(words, " ")
}

func ancestorImage(f *meetguard.Facts, n int) []string {
	if n >= len(f.Process.Ancestors) {
		return nil
	}
	return image(f.Process.Ancestors[n].Exe, systemOf(f.Process))
}

func ancestorImages(f *meetguard.Facts) []string {
	var out []string
	for i := range f.Process.Ancestors {
		out = append(out, ancestorImage(f, i)...)
	}
	return out
}

func ancestors(f *meetguard.Facts) []string {
	var out []string
	for _, path := range ancestorImages(f) {
		out = append(out, path[strings.LastIndexAny(path, `/\`)+1:])
	}
	return out
}

func claim(source string) func(*meetguard.Facts) []string {
	return func(f *meetguard.Facts) []string {
		for _, c := range f.Claims {
			if c.Source == source {
				return one(c.Text)
			}
		}
		return nil
	}
}

func hashes(f *meetguard.Facts) []string {
	if f.SHA256 == "" {
		return nil
	}
	return []string{"SHA256=" + strings.ToUpper(f.SHA256)}
}

func status(s *meetguard.Signature) string {
	if s.Status == meetguard.SignatureUnknown {
		return ""
	}
	return string(s.Status)
}

// signer is proven or nothing: a name in a signature that does not hold proves
// none.
func signer(s *meetguard.Signature) string {
	if s.Status != meetguard.SignatureValid {
		return ""
	}
	return s.Subject
}

func valid(s *meetguard.Signature, what string) string {
	switch {
	case s.Status != meetguard.SignatureValid:
		return ""
	case what == "team":
		return s.TeamID
	}
	return s.SigningID
}

func script(of func(*meetguard.Script) []string) func(*meetguard.Facts) []string {
	return func(f *meetguard.Facts) []string {
		if f.Script == nil {
			return nil
		}
		return of(f.Script)
	}
}

func fetches(of func(*meetguard.Fetch) string) func(*meetguard.Facts) []string {
	return script(func(s *meetguard.Script) []string {
		var out []string
		for i := range s.Fetches {
			out = append(out, one(of(&s.Fetches[i]))...)
		}
		return out
	})
}

// fields numbers the names of fields: those of the taxonomy, and behind them
// what rules ask for and no launch has.
type fields struct {
	ids   map[string]int
	names []string
}

func newFields() *fields {
	fs := &fields{ids: map[string]int{}}
	for _, t := range taxonomy {
		fs.id(t.name)
	}
	return fs
}

func (fs *fields) id(name string) int {
	id, ok := fs.ids[name]
	if !ok {
		id = len(fs.names)
		fs.ids[name], fs.names = id, append(fs.names, name)
	}
	return id
}

func (fs *fields) name(id int) string { return fs.names[id] }
func (fs *fields) count() int         { return len(fs.names) }

// launch is an event: each field is read when it is first asked for.
type launch struct {
	facts  *meetguard.Facts // nil if the values are set
	values []value
}

// value is what is known of one field.
type value struct {
	raw  []string // none: null
	low  []string // in lower case
	read bool
}

func (fs *fields) launch(f *meetguard.Facts) *launch {
	return &launch{facts: f, values: make([]value, fs.count())}
}

func (l *launch) value(id int) *value {
	v := &l.values[id]
	if !v.read {
		v.read = true
		if l.facts != nil && id < len(taxonomy) {
			v.set(taxonomy[id].read(l.facts))
		}
	}
	return v
}

func (v *value) set(raw []string) {
	v.raw, v.read = raw, true
	v.low = make([]string, len(raw))
	for i, s := range raw {
		v.low[i] = strings.ToLower(s)
	}
}

// text is one value as a test compares it.
func (v *value) text(i int, cased bool) string {
	if cased {
		return v.raw[i]
	}
	return v.low[i]
}
