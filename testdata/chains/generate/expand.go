package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"path"
	"strings"
	"time"
	"unicode/utf16"
)

// launch is one line of a file, as the contract describes it; the last three
// keys are ours and ignored by the agent.
type launch struct {
	OS          string     `json:"os"`
	Time        time.Time  `json:"time"`
	PID         int        `json:"pid"`
	PPID        int        `json:"ppid"`
	Exe         string     `json:"exe"`
	Args        []string   `json:"args,omitempty"`
	CommandLine string     `json:"command_line,omitempty"`
	CWD         string     `json:"cwd,omitempty"`
	User        string     `json:"user"`
	Signature   *signature `json:"signature,omitempty"`
	OriginHost  string     `json:"origin_host,omitempty"`
	Chain       string     `json:"chain"`
	About       string     `json:"about,omitempty"`
}

// began is when the first chain of each file ran.
var began = time.Date(2026, 9, 7, 7, 30, 0, 0, time.UTC)

// apart is the time between the beginnings of two chains of a file.
const apart = 3 * time.Hour

// expand writes every repetition of every chain out.
func (s *source) expand() ([]launch, error) {
	var out []launch
	pid, begin := 400+int(hash(s.name)%300)*4, began
	for _, c := range s.chains {
		for i := range c.times {
			r := repetition{source: s, chain: c, i: i, id: s.name + "-" + c.id, pid: &pid, now: begin}
			if c.times > 1 {
				r.id += fmt.Sprintf("-%d", i+1)
			}
			list, err := r.launches()
			if err != nil {
				return nil, fmt.Errorf("chain %s: %w", c.id, err)
			}
			out = append(out, list...)
			begin = begin.Add(apart)
		}
	}
	return out, nil
}

// repetition is one chain in one of its forms.
type repetition struct {
	*source
	chain chain
	i     int
	id    string
	pid   *int
	now   time.Time
}

var people = []string{"mara", "jlopez", "p.novak", "chen.wei", "s.okafor", "annika", "dkim", "r.haddad", "tomasz", "ivy"}

func (r *repetition) user() string { return people[hash(r.id, "user")%uint64(len(people))] }

func (r *repetition) home() string {
	return map[string]string{"darwin": "/Users/", "linux": "/home/", "windows": `C:\Users\`}[r.system] + r.user()
}

// launches puts the chain between what else ran: before it, in its midst and
// after it.
func (r *repetition) launches() ([]launch, error) {
	groups := [][]entry{r.chain.entries}
	if len(r.noise) > 0 {
		a, b := r.pickNoise("before"), r.pickNoise("amid")
		cut := 1 + int(hash(r.id, "cut")%uint64(len(r.chain.entries)))
		groups = [][]entry{a, r.chain.entries[:cut], b, r.chain.entries[cut:]}
	}
	var out []launch
	var own, parents []int
	for g, entries := range groups {
		mine := len(groups) == 1 || g%2 == 1
		parents = nil
		if mine {
			parents = own // over the noise
		}
		for _, e := range entries {
			l, err := r.launch(e, len(out), parents)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.text, err)
			}
			if mine && own == nil && parents == nil {
				l.About = r.choose(r.chain.about)
			}
			out = append(out, l)
			parents = append(parents[:e.depth:e.depth], l.PID)
		}
		if mine {
			own = parents
		}
	}
	return out, nil
}

func (r *repetition) pickNoise(where string) []entry {
	return r.noise[hash(r.id, where)%uint64(len(r.noise))].entries
}

func (r *repetition) launch(e entry, n int, parents []int) (launch, error) {
	w, err := read(r.choose(e.text))
	if err != nil {
		return launch{}, err
	}
	p := find(r.system, w.program)
	exe := r.fill(p.path)
	sig := w.attrs["sig"]
	if sig == "" {
		sig = p.sig
	}
	signed, err := signedBy(r.fill(sig), base(exe))
	if err != nil {
		return launch{}, err
	}
	l := launch{OS: r.system, PID: r.nextPID(n), PPID: 1, Exe: exe, CWD: r.fill(w.attrs["cwd"]), User: r.user(), Signature: signed, OriginHost: r.fill(w.attrs["origin"]), Chain: r.id}
	if e.depth > 0 {
		l.PPID = parents[e.depth-1]
	} else if r.system == "windows" {
		l.PPID = 0
	}
	if u := w.attrs["user"]; u != "" {
		l.User = r.fill(u)
	}
	if err := r.pass(w, n); err != nil {
		return launch{}, err
	}
	l.Time = r.now
	if l.CWD == "" && l.User == r.user() {
		l.CWD = r.home()
	}
	rest := r.fill(w.rest)
	if r.system == "windows" {
		l.CommandLine = windowsLine(exe, rest, hash(r.id, fmt.Sprint(n))%2 == 0 || strings.Contains(w.program, `\`))
		return l, nil
	}
	words, err := split(rest)
	if err != nil {
		return launch{}, err
	}
	l.Args = append([]string{argv0(w.program, exe)}, words...)
	return l, nil
}

// argv0 is the path for programs in bundles, which are started by it, and for
// those that the source names by their path, else the bare name.
func argv0(word, exe string) string {
	if strings.Contains(word, "/") || strings.Contains(exe, ".app/") {
		return exe
	}
	return path.Base(exe)
}

func (r *repetition) nextPID(n int) int {
	step := 1 + int(hash(r.id, "pid", fmt.Sprint(n))%17)
	if r.system == "windows" {
		step *= 4
	}
	*r.pid += step
	return *r.pid
}

// pass lets the time of a launch come.
func (r *repetition) pass(w words, n int) error {
	r.now = r.now.Add(time.Duration(40+hash(r.id, "time", fmt.Sprint(n))%1900) * time.Millisecond)
	if w.attrs["after"] == "" {
		return nil
	}
	after, err := time.ParseDuration(w.attrs["after"])
	r.now = r.now.Add(after)
	return err
}

func base(exe string) string {
	return exe[strings.LastIndexAny(exe, `/\`)+1:]
}

// windowsLine is the command line: with the whole path, or with the name that
// was typed.
func windowsLine(exe, rest string, whole bool) string {
	first := base(exe)
	if whole {
		first = exe
	}
	if strings.Contains(first, " ") {
		first = `"` + first + `"`
	}
	return strings.TrimRight(first+" "+rest, " ")
}

// fill puts in $U (user), $H (home), $N (a
// number), $X (a word of eight hexadecimal digits), ENC[[text]] (base64 of
// UTF-16, for PowerShell) and B64[[text]] (base64).
func (r *repetition) fill(text string) string {
	h := hash(r.id, "fill")
	text = strings.NewReplacer("$U", r.user(), "$H", r.home(), "$N", fmt.Sprint(100+h%9900), "$X", fmt.Sprintf("%08x", uint32(h))).Replace(text)
	text = encode(text, "ENC[[", func(s string) []byte {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return b
	})
	return encode(text, "B64[[", func(s string) []byte { return []byte(s) })
}

// choose takes the alternative of this repetition.
func (r *repetition) choose(text string) string {
	for {
		before, rest, ok := strings.Cut(text, "<<")
		inside, after, ok2 := strings.Cut(rest, ">>")
		if !ok || !ok2 || !strings.Contains(inside, "||") {
			return text
		}
		options := strings.Split(inside, "||")
		text = before + options[r.i%len(options)] + after
	}
}

func encode(text, mark string, bytes func(string) []byte) string {
	before, rest, ok := strings.Cut(text, mark)
	inside, after, ok2 := strings.Cut(rest, "]]")
	if !ok || !ok2 {
		return text
	}
	return before + base64.StdEncoding.EncodeToString(bytes(inside)) + after
}

// split takes a line apart as a shell would, without expanding anything.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open, quote := false, rune(0)
	escaped := false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == ' ':
			if open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(c)
			open = true
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("an open quotation")
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

func hash(words ...string) uint64 {
	h := fnv.New64a()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	x := h.Sum64()
	x ^= x >> 33 // the last bytes of FNV reach the low bits too slowly
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}
