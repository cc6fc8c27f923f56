package script

import (
	"bytes"
	"html"
	"slices"
	"strings"
	"sync"

	"meetguard"
)

// Limits of one analysis.
const (
	maxStatements = 200_000
	idleKept      = 50_000 // statements from which on those that can do nothing are left out
	endStatements = 40_000 // further statements for the end of a text that is too long
	endBytes      = 64 << 10
	maxLooks      = 4 << 20 // statements looked at, long ones counted more than once, to follow results
	maxTokens     = 1 << 18 // of one statement; the rest is the next one
	maxArguments  = 4 << 20 // tokens read as arguments of calls, again for each call in front of them
	looksPerByte  = 16      // further ones for each byte of the text, up to a mebibyte
	maxDepth      = 6       // nesting of commands in strings in layers
	maxLayers     = 4       // encoded layers inside one another
	maxLayerBytes = 1 << 20 // decoded text of all layers
	maxValue      = 64 << 10
)

// Analyse tells what the structure of a script says and what its user reads
// (comments, dialogs, messages; at most 2 KiB). It returns nil and "" if data
// is not a script. Of name only the extension counts, and only where the
// content cannot decide.
func Analyse(name string, data []byte) (*meetguard.Script, string) {
	if isCompiled(data) {
		return analyseCompiled(data)
	}
	if source, ok := automationSource(data); ok {
		return analyseText(langJXA, utf8Encoding, source)
	}
	if language, text, ok := workflowScript(data); ok {
		return analyseText(language, utf8Encoding, normalise(text))
	}
	if language, command, ok := launchdCommand(data); ok {
		return analyseText(language, utf8Encoding, normalise(command))
	}
	if command, ok := terminalCommand(data); ok {
		return analyseText(langShell, utf8Encoding, normalise(command))
	}
	language := languageOf(name, data)
	if language != langHTA && language != langWSF && isPage(data) {
		return analysePage(data)
	}
	if language == "" {
		return writtenIn(name, data), ""
	}
	doubtful := strings.HasSuffix(language, "?")
	language = strings.TrimSuffix(language, "?")
	encoding := encodingOf(data, language)
	if strings.HasSuffix(language, idleMark) || idle(language, data) {
		language = strings.TrimSuffix(language, idleMark)
		return &meetguard.Script{Language: language, Encoding: encoding, Lines: bytes.Count(data, []byte("\n")) + 1}, ""
	}
	s, user := analyseText(language, encoding, decode(data, encoding))
	if doubtful && !strings.Contains(s.Tail, "ActiveXObject") && !strings.Contains(s.Tail, "WScript") {
		return nil, ""
	}
	return s, user
}

// Words without which a module neither brings code from elsewhere nor opens a
// layer, then words without which Python does not run any, and those without which
// it takes nothing of value. Separated by two spaces.
const (
	libraryBrings = "urlopen  urlretrieve  requests.  requests import  http.client  httpx  socket(  curl  wget  powershell  b64decode  fromhex  decompress  unhexlify  chr(  /tdata  \\tdata  \"tdata  'tdata  osascript  lwp::  http::  getstore  net::http  open-uri  io::socket  fsockopen  curl_  file_get_contents  telegram" +
		"  '+'  \"+\"  [::-1]  ord(  bytes([  map(chr  rot13  rot_13  marshal.loads  'h*'  \"h*\"  unpack1(  .pack(  b85decode  a85decode  b32decode" // strings that are put together
	pythonRuns = "exec(  eval(  execv  execl  spawnv  system(  popen  subprocess  startfile  __import__  shellexecute" +
		"  | sh  |sh  | bash  |bash  | zsh  |zsh  | iex  |iex  do shell script  invoke-expression" // in what only calls itself Python
	pythonTakes = `login data  ".ssh  '.ssh  /.ssh  id_rsa  _history"  _history'  extension settings  cookies.sqlite  logins.json  .wallet  keychain-db  make_archive`
)

var libraryWords = sync.OnceValues(func() (f *finder, brings int) {
	first := strings.Split(libraryBrings, "  ")
	return newFinder(slices.Concat(first, strings.Split(pythonRuns, "  "), strings.Split(pythonTakes, "  "))), len(first)
})

// The languages of libraries: systems have thousands of modules in them, and
// hardly a lure.
var libraryLanguages = map[string]bool{langPython: true, "perl": true, "ruby": true, "tclsh": true, "php": true, "lua": true, "awk": true, "make": true}

// idle spares the modules of libraries the whole analysis: what neither brings
// nor runs code is no lure, whatever else it says. UTF-16 has none of the words
// and is rare enough to be read in full.
func idle(language string, data []byte) bool {
	if !libraryLanguages[language] || bytes.IndexByte(data[:min(len(data), 4096)], 0) >= 0 {
		return false
	}
	words, brings := libraryWords()
	found := [2]bool{1: language != langPython} // backticks run things elsewhere, and so do many words
	words.until(data, func(id int) bool {
		if id < brings {
			found[0] = true
		} else {
			found[1] = true
		}
		return found[0] && found[1]
	})
	return !(found[0] && found[1])
}

// terminalCommand returns the command that a settings file of Apple's Terminal
// runs when it is opened.
func terminalCommand(data []byte) (string, bool) {
	head := bytes.TrimLeft(data[:min(len(data), 256)], "\xef\xbb\xbf \t\r\n")
	if !bytes.HasPrefix(head, []byte("<?xml")) && !bytes.HasPrefix(head, []byte("<plist")) && !bytes.HasPrefix(head, []byte("<!DOCTYPE plist")) {
		return "", false
	}
	_, rest, ok := bytes.Cut(data, []byte("<key>CommandString</key>"))
	if !ok {
		return "", false
	}
	_, rest, _ = bytes.Cut(rest, []byte("<string>"))
	text, _, ok := bytes.Cut(rest, []byte("</string>"))
	return html.UnescapeString(string(text)), ok && len(text) > 0
}

func analyseText(language, encoding, text string) (*meetguard.Script, string) {
	page := foldPage(text, language)
	a := newAnalysis(len(text))
	a.source = text
	a.unit(language, page.text, context{pos: -1})
	s := &meetguard.Script{Language: language, Encoding: encoding, Lines: page.lines}
	a.judgePage(page, s)
	a.finish(page.text, s)
	return s, a.user.banner()
}

// analysis is what is gathered while the units of one script are read.
type analysis struct {
	stmts     []stmt
	user      reading
	traits    map[string]bool
	rules     *ruleBook
	joined    strings.Builder // statements whose strings had to be put together
	layers    strings.Builder // decoded layers
	opened    int             // layers that were opened
	concat    int
	budget    int // bytes that substitution, nesting and layers may still make
	unpaid    int // bytes that decoded layers may still take
	blobs     []blob
	remote    []fetching            // scripts that markup takes from elsewhere
	vars      map[string]string     // shell and batch variables of constant value
	consts    map[string]value      // variables of the expression languages
	seen      map[string]bool       // layers that were read already
	aliases   map[string]string     // other names of PowerShell commands, in lower case
	handlers  map[string]handler    // AppleScript handlers, in lower case
	coded     map[string]bool       // AppleScript variables that are computed character by character
	delimiter string                // AppleScript's text item delimiters
	kept      map[string]value      // what a computed loop has left in its variables
	running   int                   // handlers and loops that are being computed
	room      int                   // statements that may be kept
	source    string                // the whole text, before padding was folded
	tired     bool                  // loops have used up the budget
	functions map[string]function   // functions of the script that may be computed
	counts    map[string]int        // variables that are numbers
	rotations map[string]int        // by how much tables of texts are turned before they are used
	lexed     map[[2]string][]token // of statements that are computed, by language and text
	steps     int                   // of computing
	calls     int                   // functions and loops that are being computed
	looks     int                   // statements that following results may still look at
	arguments int                   // tokens that may still be read as arguments
	ending    bool                  // the middle of the text was left out
}

func newAnalysis(size int) *analysis {
	return &analysis{
		traits: map[string]bool{}, rules: behaviours(), budget: 4*size + maxLayerBytes, unpaid: maxLayerBytes,
		stmts: make([]stmt, 0, min(size/20+16, 1<<15)), vars: map[string]string{"IFS": " "}, consts: map[string]value{}, seen: map[string]bool{}, room: maxStatements, looks: maxLooks + looksPerByte*min(size, 1<<20), arguments: maxArguments, aliases: map[string]string{}, handlers: map[string]handler{}, coded: map[string]bool{},
		functions: map[string]function{}, counts: map[string]int{}, rotations: map[string]int{}, lexed: map[[2]string][]token{},
	}
}

// context says where a unit of text stands.
type context struct {
	pos    int  // offset in the page of the statement that holds it; -1 for the page itself
	depth  int  // nesting
	layer  int  // encoded layers above it
	hidden bool // started without a window
	aside  bool // inside another language, where nobody looks for it
}

func (c context) inside(pos int) context {
	if c.pos < 0 {
		c.pos = pos
	}
	c.depth++
	return c
}

// at maps an offset in a unit to one in the page.
func (c context) at(offset int) int {
	if c.pos >= 0 {
		return c.pos
	}
	return offset
}

// stmt is one command or statement of any language, with its strings joined
// and its constant variables replaced.
type stmt struct {
	lang     string
	text     string
	raw      string   // as the text itself has it; "" for what stands inside strings and layers
	words    []string // without quotes
	cmd      []string // the words of the command itself, without sudo, if and the like
	head     string   // programName of the first of them; "" for languages without commands
	pos      int      // offset in the page
	hits     bits     // words of the rule book
	assign   string   // the variable that takes the result
	producer int      // index+1 of the statement whose output it reads
	consumer int      // index+1 of the statement that reads its output
	embedded bool     // its output is an argument of the consumer
	through  bool     // its output is the consumer's own output
	carries  bool     // its inner command follows as a statement of its own
	in, out  string   // what it reads from and writes to
	here     string   // its here-document
	computed bool     // a command inside it computes some of its words
	aside    bool     // stands where a reader of the script's language does not look
	quiet    bool     // output thrown away
	behind   bool     // put in the background
	hidden   bool     // runs without a window
	layer    int
}

// spend pays for n bytes of new text.
func (a *analysis) spend(n int) bool {
	if n > a.budget {
		a.cutShort()
		return false
	}
	a.budget -= n
	return true
}

// unit reads one text of one language.
func (a *analysis) unit(language, text string, c context) {
	if c.depth > maxDepth || len(a.stmts) >= a.room {
		a.cutShort()
		return
	}
	if c.depth > 0 && !a.spend(len(text)) {
		return
	}
	switch language {
	case langShell:
		a.shell(text, c)
	case langBatch:
		a.batch(text, c)
	case langHTA, langWSF:
		a.markup(text, c)
	default:
		a.expressions(dialectOf(language), text, c)
	}
}

// add appends a statement and returns its index, -1 if there are too many.
func (a *analysis) add(s stmt, c context) int {
	if len(a.stmts) >= a.room {
		a.cutShort()
		return -1
	}
	s.layer = c.layer
	s.hidden, s.aside = s.hidden || c.hidden, c.aside
	if c.depth > 0 {
		s.raw = ""
	}
	s.hits = a.rules.hits(s.text)
	if len(a.stmts) >= idleKept && s.idle() {
		return -1
	}
	if s.lang == langShell || s.lang == langBatch {
		if s.cmd = a.unaliased(commandWords(&s)); len(s.cmd) > 0 {
			s.head = programName(s.cmd[0])
		}
	}
	a.stmts = append(a.stmts, s)
	return len(a.stmts) - 1
}

// idle holds for a statement that only gives a variable a value: its value is
// kept elsewhere, and a flood of them must not use up the room.
func (s *stmt) idle() bool {
	if !s.hits.empty() || s.assign == "" || s.producer > 0 {
		return false
	}
	if s.lang == langShell || s.lang == langBatch {
		return len(s.words) == 0 || s.lang == langBatch
	}
	return len(s.words) <= 4 && strings.IndexByte(s.text, '(') < 0 && !strings.Contains(s.text, "://")
}

// look pays for looking at a statement again.
func (a *analysis) look(s *stmt) bool {
	if a.looks <= 0 {
		a.cutShort()
		return false
	}
	a.looks -= 1 + len(s.text)>>6
	return true
}

// cutShort notes that a limit ended the analysis before the text did.
func (a *analysis) cutShort() { a.traits[TraitAnalysisLimit] = true }

// toEnd tells where to go on in a text of which too many statements were read:
// a lure hides behind padding, at the end. It returns false if there is room,
// and -1 if this was the end already.
func (a *analysis) toEnd(text string, at int, c context) (int, bool) {
	if len(a.stmts) < a.room {
		return at, false
	}
	a.cutShort()
	if a.ending || c.depth > 0 || len(text)-at <= 0 {
		return -1, true
	}
	a.ending = true
	a.room += endStatements
	from := max(at, len(text)-endBytes)
	if n := strings.IndexByte(text[from:], '\n'); n >= 0 && from > at {
		from += n + 1
	}
	return from, true
}

// keepJoined notes a statement for the text that YARA sees.
func (a *analysis) keepJoined(text string) {
	if a.joined.Len()+len(text) < maxTail {
		a.joined.WriteString(text)
		a.joined.WriteByte('\n')
	}
}

func (a *analysis) chain(n int) {
	if n > 1 {
		a.concat = max(a.concat, n)
	}
}
