package script

import (
	"slices"
	"strings"
)

// programs are the heads that run a file, and the word that Fetch.RunBy has
// for them.
var programs = map[string]string{
	"sh": "sh", "bash": "bash", "zsh": "zsh", "dash": "sh", "ksh": "sh", "source": "sh", ".": "sh", "eval": "sh", "su": "sh",
	"osascript": "osascript", "python": "python", "perl": "perl", "ruby": "ruby", "node": "node", "php": "php", "go": "go",
	"powershell": "powershell", "pwsh": "powershell", "wscript": "wscript", "cscript": "cscript", "mshta": "mshta", "rundll32": "rundll32", "regsvr32": "regsvr32",
	"installutil": "direct", "regasm": "direct", "cmstp": "direct", "odbcconf": "direct", "msbuild": "direct", "pcalua": "direct", "tclsh": "tclsh", "wish": "tclsh", "lua": "lua", "deno": "deno", "bun": "bun", "fish": "sh", "tcsh": "sh", "csh": "sh", "insmod": "direct", "snap": "installer",
	"msiexec": "installer", "installer": "installer", "dpkg": "installer", "rpm": "installer", "apt": "installer", "apt-get": "installer",
	"osacompile": "osacompile", "open": "direct", "xdg-open": "direct", "explorer": "direct", "start": "direct", "start-process": "direct", "saps": "direct",
	"invoke-item": "direct", "ii": "direct", "iex": "iex", "invoke-expression": "iex", "cmd": "direct", "call": "direct", "java": "java",
}

// passing are programs that change what runs through a pipe and hand it on.
var passing = map[string]bool{
	"tee": true, "base64": true, "gunzip": true, "zcat": true, "gzip": true, "cat": true, "sed": true, "tr": true, "openssl": true, "head": true, "tail": true, "xxd": true,
	"rev": true, "awk": true, "grep": true, "echo": true, "printf": true, "iconv": true,
}

// follow finds out where the result of a fetch goes and what runs it.
func (a *analysis) follow(f *fetching) {
	switch {
	case f.RunBy != "":
	case f.Tool == "smb" && a.stmts[f.stmt].lang == langAppleScript: // a disk is opened as a folder, too
	case f.output != "":
		f.To = "file"
		if isTempPath(f.output) || isTempPath(a.assignedText(f.stmt, f.output)) {
			f.To = "temp"
		}
		if f.Tool == "git" { // its name alone is the name of a program as well
			f.RunBy = a.runnerOfTrail(f.stmt, &trail{names: []string{fileWord(strings.TrimRight(f.output, `/\`)) + "/"}})
			if f.RunBy == "" && a.hooked(f.stmt) {
				f.RunBy = runByPackage
			}
			return
		}
		f.RunBy = a.runnerOfFile(f.stmt, f.output)
	default:
		a.followOutput(f)
	}
}

// followOutput follows what a statement prints to the program that reads it.
func (a *analysis) followOutput(f *fetching) {
	at := f.stmt
	for steps := 0; steps < 12; steps++ {
		s := &a.stmts[at]
		if s.assign != "" {
			f.To, f.output = "variable", s.assign
			if f.RunBy = a.runnerOfVariable(at, s); f.RunBy == "" {
				a.followWrite(f, at)
			}
			return
		}
		if steps > 0 && s.out != "" {
			f.To, f.output = "file", s.out
			if isTempPath(s.out) {
				f.To = "temp"
			}
			f.RunBy = a.runnerOfFile(at, s.out)
			return
		}
		if s.consumer == 0 || s.consumer-1 <= at && !s.embedded && !s.through {
			return
		}
		next := &a.stmts[s.consumer-1]
		if next.head == "tar" || next.head == "bsdtar" || next.head == "cpio" {
			t := trail{names: []string{"./"}, unpacked: true}
			if dir := optionValue(next.cmd, "-C", "-D"); dir != "" {
				t.names = nil
				t.name(dir)
			}
			f.To, f.RunBy = "pipe", a.runnerOfTrail(s.consumer-1, &t)
			return
		}
		runner := a.readerOf(s, next)
		if runner != "" {
			f.To, f.RunBy = "pipe", runner
			return
		}
		if !s.through && f.To == "" {
			f.To = "pipe"
		}
		at = s.consumer - 1
	}
}

// followWrite follows a variable into the file it is written to.
func (a *analysis) followWrite(f *fetching, at int) {
	lang := a.stmts[at].lang
	if lang == langShell || lang == langBatch {
		return
	}
	name := f.output
	for k := at + 1; k < min(len(a.stmts), at+500); k++ {
		s := &a.stmts[k]
		if !a.look(s) {
			return
		}
		if s.lang != lang || !containsFoldText(s.text, name, lang) {
			continue
		}
		file := a.fileOfWrite(k)
		if file == "" {
			continue
		}
		if f.RunBy = a.runnerOfFile(k, file); f.RunBy != "" {
			f.To, f.output = "file", file
			if isTempPath(file) || isTempPath(a.assignedText(k, file)) {
				f.To = "temp"
			}
			return
		}
	}
}

// readerOf tells what program makes of the output of s that next gets.
func (a *analysis) readerOf(s, next *stmt) string {
	switch next.lang {
	case langShell, langBatch:
		if runner := loopRunner(next); s.through && runner != "" {
			return runner
		}
		if len(next.cmd) == 0 || s.through {
			return ""
		}
		head := next.head
		if strings.HasPrefix(next.cmd[0], "$SHELL") || strings.HasPrefix(next.cmd[0], "${SHELL") {
			return "sh"
		}
		if passing[head] || next.keepsToItself(s.embedded) {
			return ""
		}
		if head == "open" || head == "start" || head == "call" {
			return ""
		}
		return programs[head]
	case langAppleScript:
		if a.rules.word(&next.hits, "run script") || a.rules.word(&next.hits, "load script") {
			return "osascript"
		}
		if s.lang == langAppleScript && s.assign != "" && commandIs(next, s.assign) {
			return "sh"
		}
	case langPowerShell:
		return a.powerRunner(next)
	case langPython:
		if a.rules.word(&next.hits, "<exec>") || a.rules.word(&next.hits, "<eval>") {
			return "python"
		}
	default:
		if a.rules.word(&next.hits, "<eval>") || a.rules.word(&next.hits, "<execute>") || a.rules.word(&next.hits, "executeglobal") {
			return next.lang
		}
	}
	return ""
}

// commandIs tells whether an AppleScript statement hands a variable to the shell
// as the command itself.
func commandIs(s *stmt, name string) bool {
	_, command, ok := strings.Cut(strings.ToLower(s.text), "do shell script ")
	rest, begins := strings.CutPrefix(strings.TrimLeft(command, "( "), strings.ToLower(name))
	return ok && begins && (rest == "" || !isWordByte(rest[0]) && rest[0] != '\'')
}

// loopRunner tells what runs the lines that "for /f … do" reads.
func loopRunner(s *stmt) string {
	if s.lang != langBatch || len(s.cmd) == 0 || !strings.EqualFold(s.words[0], "for") {
		return ""
	}
	if strings.HasPrefix(s.cmd[0], "%") {
		return "direct"
	}
	for _, w := range s.cmd[1:] {
		if strings.HasPrefix(w, "%%") {
			return programs[s.head]
		}
	}
	return ""
}

// runnerOfVariable looks for a later statement that executes a variable.
func (a *analysis) runnerOfVariable(from int, s *stmt) string {
	name := s.assign
	names := []string{variableWord(name, s.lang)}
	parsed := parsesData(s)
	for k := from + 1; k < len(a.stmts); k++ {
		next := &a.stmts[k]
		if !a.look(next) {
			return ""
		}
		met := mentioned(next, names)
		if met == "" {
			continue
		}
		if next.lang == langShell || next.lang == langBatch {
			if runner := shellVariableRunner(a, next, met); runner != "" {
				return runner
			}
		} else if runner := a.readerOf(s, next); runner != "" {
			return runner
		}
		if next.assign != "" && next.lang == s.lang && len(names) < 8 && !parsed {
			names = append(names, variableWord(next.assign, s.lang))
		}
	}
	return ""
}

// parsesData holds for what PowerShell reads as data with fields. Of these one
// may still be a command, but a text that the script composes of them is its own.
func parsesData(s *stmt) bool {
	if s.lang != langPowerShell {
		return false
	}
	low := strings.ToLower(s.text)
	return strings.HasPrefix(strings.TrimLeft(low, " ("), "[xml]") || strings.Contains(low, "convertfrom-json") || strings.Contains(low, "convertfrom-csv")
}

// variableWord is how a language refers to a variable.
func variableWord(name, lang string) string {
	switch lang {
	case langShell:
		return "$" + strings.TrimPrefix(name, "$")
	case langBatch:
		return "%" + name + "%"
	}
	return name
}

// mentioned returns the first of the names that a statement holds as a word of
// its own.
func mentioned(s *stmt, names []string) string {
	text := s.text
	fold := s.lang != langShell && s.lang != langPython && s.lang != langJavaScript && s.lang != langJXA
	if fold {
		text = strings.ToLower(text)
	}
	for _, n := range names {
		low := n
		if fold {
			low = strings.ToLower(n)
		}
		for at := 0; at < len(text); {
			i := strings.Index(text[at:], low)
			if i < 0 {
				break
			}
			i += at
			at = i + len(low)
			if (i == 0 || !isWordByte(text[i-1]) || !isWordByte(low[0])) && (at >= len(text) || !isWordByte(text[at]) || !isWordByte(low[len(low)-1])) {
				return n
			}
		}
	}
	return ""
}

// shellVariableRunner: eval "$x", sh -c "$x", echo "$x" | sh, sh <<< "$x".
func shellVariableRunner(a *analysis, s *stmt, name string) string {
	if len(s.cmd) == 0 {
		return ""
	}
	if s.cmd[0] == name {
		return "direct"
	}
	head := s.head
	if runner := programs[head]; runner != "" && runner != "direct" && s.executesWord(name) {
		return runner
	}
	for steps := 0; passing[head] && s.consumer > 0 && steps < 6; steps++ {
		piped := !s.embedded
		s = &a.stmts[s.consumer-1]
		head = s.head
		if runner := programs[head]; runner != "" && runner != "direct" && !s.keepsToItself(!piped) {
			return runner
		}
	}
	return ""
}

func containsFoldText(text, name, lang string) bool {
	if lang == langShell || lang == langPython || lang == langJavaScript {
		return strings.Contains(text, name)
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(name))
}

// trail is a file whose later use is looked for, under all names it gets.
type trail struct {
	variable string   // the variable that holds its name, if that is too short to look for
	names    []string // as they appear in later statements
	marked   bool     // made executable
	unpacked bool
}

// runnerOfFile looks for a later statement that runs the file.
func (a *analysis) runnerOfFile(from int, output string) string {
	t := trail{}
	name := fileWord(output)
	switch {
	case name != "":
		t.names = []string{name}
	case isName([]byte(output)):
		t.variable = output
	default:
		return ""
	}
	return a.runnerOfTrail(from, &t)
}

func (a *analysis) runnerOfTrail(from int, t *trail) string {
	for k := from + 1; k < len(a.stmts); k++ {
		s := &a.stmts[k]
		if !a.look(s) {
			return ""
		}
		if s.lang == "data" || !t.meets(s) {
			continue
		}
		if runner := a.use(t, s); runner != "" {
			if t.unpacked && runner != "installer" {
				return "unzip-run"
			}
			return runner
		}
	}
	if t.marked {
		return "direct"
	}
	return ""
}

// assignedText is the statement that gave a variable its value, "" if the
// language is one of commands or the name is no name.
func (a *analysis) assignedText(before int, name string) string {
	name = strings.TrimPrefix(name, "$")
	if !isName([]byte(name)) {
		return ""
	}
	for i := min(len(a.stmts)-1, before+200); i >= 0; i-- {
		if !a.look(&a.stmts[i]) {
			break
		}
		if s := &a.stmts[i]; s.assign != "" && strings.EqualFold(strings.TrimPrefix(s.assign, "$"), name) {
			return s.text
		}
	}
	return ""
}

// fileOfWrite is the file that a statement writes a variable to, "" if it
// writes none.
func (a *analysis) fileOfWrite(at int) string {
	s := &a.stmts[at]
	for k, w := range s.words {
		low := strings.ToLower(w)
		switch {
		case k+1 >= len(s.words):
			return ""
		case low == "open" && s.lang == langPython, strings.HasSuffix(low, "writefilesync"), strings.HasSuffix(low, "writefile"), strings.HasSuffix(low, "writeallbytes"), strings.HasSuffix(low, "writealltext"):
			return s.words[k+1]
		case low == "set-content" || low == "out-file" || low == "-filepath" || low == "-path":
			if !strings.HasPrefix(s.words[k+1], "-") {
				return s.words[k+1]
			}
		case s.lang == langPython && strings.HasSuffix(low, ".write"):
			return a.openedAs(at, w[:len(w)-len(".write")])
		}
	}
	return ""
}

// openedAs is the file behind a name: with open(FILE, 'wb') as NAME.
func (a *analysis) openedAs(before int, name string) string {
	for i := before - 1; i >= max(0, before-12); i-- {
		s := &a.stmts[i]
		if !slices.Contains(s.words, name) {
			continue
		}
		for k, w := range s.words {
			if w == "open" && k+1 < len(s.words) {
				return s.words[k+1]
			}
		}
	}
	return ""
}

// fileWord is the part of a path that identifies the file in later commands.
func fileWord(output string) string {
	output = strings.Trim(output, `"'`)
	base := output[strings.LastIndexAny(output, `/\`)+1:]
	if len(base) < 2 || base == "$()" || base == "null" || base == "NUL" {
		if len(base) == 1 && len(output) > 2 {
			return output
		}
		return ""
	}
	return base
}

func (t *trail) meets(s *stmt) bool {
	for _, n := range t.names {
		if containsFoldText(s.text, n, s.lang) {
			return true
		}
	}
	return t.variable != "" && (slices.Contains(s.words, t.variable) || slices.Contains(s.words, "$"+t.variable))
}

func (t *trail) in(word string) bool {
	if t.variable != "" && word == "$"+t.variable {
		return true
	}
	for _, n := range t.names {
		if strings.Contains(strings.ToLower(word), strings.ToLower(n)) {
			return true
		}
	}
	return false
}

func (t *trail) name(path string) {
	if n := fileWord(strings.TrimRight(path, `/\`)); n != "" && len(t.names) < 8 {
		t.names = append(t.names, n)
	}
}

// use tells what a statement does with the file; "" if it does not run it.
func (a *analysis) use(t *trail, s *stmt) string {
	if s.carries || len(s.words) == 0 {
		return ""
	}
	if s.lang != langShell && s.lang != langBatch {
		return a.objectUse(t, s)
	}
	words, head := s.cmd, s.head
	if len(words) == 0 {
		return ""
	}
	switch head {
	case "chmod":
		t.marked = t.marked || strings.Contains(s.text, "+x") || strings.Contains(s.text, "7") && !slices.Contains(words, "-R") || strings.Contains(s.text, "u+rwx")
		return ""
	case "unzip", "tar", "ditto", "7z", "7za", "bsdtar", "gunzip", "expand", "cpio":
		t.extract(words[1:])
		return ""
	case "mv", "cp", "copy", "move", "ren", "rename", "xcopy":
		t.name(words[len(words)-1])
		return ""
	case "certutil":
		if strings.Contains(strings.ToLower(s.text), "-decode") {
			t.name(words[len(words)-1])
		}
		return ""
	case "hdiutil":
		t.names = append(t.names, "/Volumes/")
		return ""
	case "cd":
		if t.unpacked {
			t.names = append(t.names, "./")
		}
		return ""
	}
	if t.unpacked && (strings.HasPrefix(words[0], "./configure") || strings.HasPrefix(words[0], "./autogen")) {
		return "" // a build, and not yet what was built
	}
	if t.in(words[0]) && !strings.Contains(words[0], "=") && !comparison(words) {
		return "direct"
	}
	if runner := programs[head]; runner != "" {
		if runner == "installer" && (slices.Contains(words, "--dangerous") || slices.Contains(words, "-allowUntrusted")) {
			return runByPackage // nobody has to have signed it
		}
		return runner
	}
	return ""
}

// comparison holds for the second half of [[ $a != x && $b == y ]].
func comparison(words []string) bool {
	if len(words) < 2 {
		return false
	}
	switch words[1] {
	case "!=", "==", "=", "=~", "-eq", "-ne", "-lt", "-gt", "-le", "-ge", "-nt", "-ot", "]]", "]":
		return true
	}
	return false
}

func (t *trail) extract(args []string) {
	t.unpacked = true
	dir := optionValue(args, "-d", "-C", "-destinationpath")
	if dir == "" {
		t.names = append(t.names, "./")
	}
	if dir == "" && len(args) > 0 {
		dir = args[len(args)-1]
	}
	t.name(dir)
	for _, n := range t.names[:1] {
		stem, _, _ := strings.Cut(n, ".")
		if len(stem) > 1 {
			t.names = append(t.names, stem)
		} else if dir == stem+n[len(stem):] {
			t.names = append(t.names, stem+`\`, stem+"/")
		}
	}
}

// objectUse is use for the languages of expressions.
func (a *analysis) objectUse(t *trail, s *stmt) string {
	low := strings.ToLower(s.text)
	switch {
	case strings.Contains(low, "expand-archive") || strings.Contains(low, "extracttodirectory") || strings.Contains(low, "extractall"):
		t.unpacked = true
		t.name(archiveFolder(s.words))
		return ""
	case s.lang == langAppleScript:
		if a.rules.word(&s.hits, "run script") || a.rules.word(&s.hits, "load script") {
			return "osascript"
		}
		if strings.Contains(low, "open ") && !a.rules.word(&s.hits, "do shell script") {
			return "direct"
		}
		return ""
	}
	if s.lang == langAutoIt || s.lang == langAutoHotkey {
		switch strings.ToLower(s.words[0]) {
		case "run", "runwait", "shellexecute", "shellexecutewait", "runas":
			return "direct"
		}
		return ""
	}
	if s.lang == langPowerShell && len(s.words) > 3 && strings.HasPrefix(strings.ToLower(s.words[0]), "certutil") && strings.Contains(low, "-decode") {
		t.name(s.words[3])
		return ""
	}
	for _, w := range s.words {
		if runner := programs[programName(w)]; runner != "" && runner != "direct" {
			return runner
		}
	}
	if s.lang == langPowerShell && a.powerRunner(s) != "" {
		return a.powerRunner(s)
	}
	if s.lang == langPowerShell && len(s.words) > 0 && programs[strings.ToLower(s.words[0])] == "direct" {
		return "direct"
	}
	if a.rules.word(&s.hits, "start-process") || a.rules.word(&s.hits, "invoke-item") || a.rules.word(&s.hits, ".run>") || a.rules.word(&s.hits, "shellexecute") ||
		a.rules.word(&s.hits, "<popen>") || a.rules.word(&s.hits, "subprocess.") || a.rules.word(&s.hits, "startfile") || a.rules.word(&s.hits, "os.system") || a.rules.word(&s.hits, ".exec>") ||
		a.rules.word(&s.hits, "process]::start") || a.rules.word(&s.hits, "<spawn>") || a.rules.word(&s.hits, "os.execv") || a.rules.word(&s.hits, "os.execl") || a.rules.word(&s.hits, "os.spawn") {
		return "direct"
	}
	if s.lang == langPowerShell && len(s.words) > 0 && (t.in(s.words[0]) && s.assign == "" && (strings.HasPrefix(s.text, "&") || strings.HasPrefix(s.text, ".") || strings.HasPrefix(s.text, "$")) && !strings.Contains(s.words[0], ".")) {
		return "direct"
	}
	if s.lang == langPowerShell && strings.HasPrefix(strings.TrimSpace(s.text), "&") {
		return "direct"
	}
	return ""
}

// archiveFolder is where Expand-Archive and its kin unpack to: an option, or
// the second of the plain arguments.
func archiveFolder(words []string) string {
	if dir := powerOption(words, "-destinationpath"); dir != "" {
		return dir
	}
	var plain []string
	for _, w := range words[1:] {
		if !strings.HasPrefix(w, "-") {
			plain = append(plain, w)
		}
	}
	if len(plain) == 0 {
		return words[len(words)-1]
	}
	return plain[len(plain)-1]
}

func powerOption(words []string, name string) string {
	for i, w := range words {
		if strings.EqualFold(w, name) && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}
