package script

import (
	"bytes"
	"path"
	"strings"
)

// The looks that are taken at a file before its text is read, in bytes.
const (
	shortLook = 1 << 10 // files named as documents or source code
	longLook  = 4 << 10 // files whose name says nothing
	lookLines = 40      // lines of text that are enough to decide
)

// The languages, as Script.Language names them.
const (
	langAppleScript = "applescript"
	langCompiled    = "applescript-compiled"
	langShell       = "shell"
	langPowerShell  = "powershell"
	langBatch       = "batch"
	langVBScript    = "vbscript"
	langJScript     = "jscript"
	langHTA         = "hta"
	langWSF         = "wsf"
	langPython      = "python"
	langJavaScript  = "javascript" // run by Node.js
	langJXA         = "jxa"        // JavaScript for Automation
	langAutoIt      = "autoit"
	langAutoHotkey  = "autohotkey"
)

// scriptExtensions are the names that make a system run a text.
var scriptExtensions = map[string]string{
	".scpt": langAppleScript, ".applescript": langAppleScript, ".scptd": langAppleScript,
	".sh": langShell, ".bash": langShell, ".zsh": langShell, ".command": langShell, ".ksh": langShell, ".tool": langShell, ".terminal": langShell,
	".ps1": langPowerShell, ".psm1": langPowerShell,
	".bat": langBatch, ".cmd": langBatch,
	".vbs": langVBScript, ".vbe": langVBScript,
	".js": langJScript, ".jse": langJScript,
	".wsf": langWSF, ".wsc": langWSF, ".sct": langWSF,
	".hta": langHTA, ".envrc": langShell,
	".py": langPython, ".pyw": langPython,
	".pl": "perl", ".rb": "ruby", ".jxa": langJXA,
	".au3": langAutoIt, ".ahk": langAutoHotkey,
}

// textExtensions are documents, data and source code, in which commands are
// mostly quoted and not run.
var textExtensions = extensionSet(`
	md markdown rst txt text adoc asciidoc tex html htm xhtml xml svg json jsonl yaml yml toml ini cfg conf csv tsv log
	c h cc cpp cxx hpp hh m mm go java kt kts rs ts tsx jsx mjs cjs cs fs swift php lua r d s asm sql proto css scss less
	vue el lisp scm clj hs ml erl ex exs pm t tcl vim cmake mk am ac m4 in po pot diff patch plist map mod sum lock
	pyi ipynb gradle groovy dart zig nim tf nix srt vtt ics eml pem crt desktop service properties`)

func extensionSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set["."+w] = true
	}
	return set
}

// languageOf tells the language of a text, "" if it is no script.
func languageOf(name string, data []byte) string {
	ext := strings.ToLower(path.Ext(name))
	if wide := wideLook(data); wide != nil {
		data = wide
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	head := data[:min(len(data), longLook)]
	if bytes.IndexByte(head, 0) >= 0 && scriptExtensions[ext] == "" {
		return ""
	}
	if l := shebang(head); l != "" {
		return l
	}
	if l := markupLanguage(ext, head); l != "" {
		return l
	}
	if named, ok := scriptExtensions[ext]; ok {
		return namedLanguage(named, data)
	}
	if textExtensions[ext] {
		return dominant(data, shortLook, 60)
	}
	if bytes.Contains(head, []byte("Application.currentApplication()")) && bytes.Contains(head, []byte("includeStandardAdditions")) {
		return langJXA
	}
	return dominant(data, longLook, 40)
}

// wideLook returns the head of a UTF-16 text as UTF-8, nil for other data.
func wideLook(data []byte) []byte {
	e := encodingOf(data[:min(len(data), wideProbeSize)], "")
	if e != utf16LE && e != utf16BE {
		return nil
	}
	return []byte(decode(data[:min(len(data), 16*longLook)], e))
}

// shebang tells the language by the first line "#!…". Interpreters that this
// package does not know go by their own name.
func shebang(head []byte) string {
	if !bytes.HasPrefix(head, []byte("#!")) {
		return ""
	}
	line, _, _ := bytes.Cut(head[2:], []byte("\n"))
	for _, w := range strings.Fields(string(line)) {
		w = path.Base(w)
		if w == "osascript" && bytes.Contains(line, []byte("JavaScript")) {
			return langJXA
		}
		if w == "env" || strings.HasPrefix(w, "-") || strings.Contains(w, "=") {
			continue
		}
		return interpreterLanguage(w)
	}
	return ""
}

// interpreterLanguage maps the base name of a program to the language it runs.
func interpreterLanguage(w string) string {
	w = strings.TrimSuffix(strings.ToLower(w), ".exe")
	switch strings.TrimRight(w, "0123456789.") {
	case "sh", "bash", "zsh", "dash", "ash", "ksh", "mksh", "fish", "busybox", "bats":
		return langShell
	case "osascript":
		return langAppleScript
	case "python", "pypy", "pythonw":
		return langPython
	case "pwsh", "powershell":
		return langPowerShell
	case "node", "nodejs", "deno", "bun":
		return langJavaScript
	case "cscript", "wscript":
		return langVBScript
	}
	if w, _, _ = strings.Cut(w, "-"); w == "" || len(w) > 16 || !isName([]byte(strings.NewReplacer(".", "", "+", "").Replace(w))) {
		return "" // the name goes into reports: it must be plain
	}
	return strings.TrimRight(w, "0123456789.")
}

// markupLanguage finds scripts that are wrapped in markup.
func markupLanguage(ext string, head []byte) string {
	if textExtensions[ext] && ext != ".html" && ext != ".htm" && ext != ".xml" && ext != ".txt" {
		return ""
	}
	var script, hta, job, scriptlet bool
	for rest := head; ; {
		i := bytes.IndexByte(rest, '<')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		script = script || startsFold(rest, "script")
		hta = hta || startsFold(rest, "hta:application")
		job = job || startsFold(rest, "job")
		scriptlet = scriptlet || startsFold(rest, "scriptlet")
	}
	switch {
	case hta, ext == ".hta" && script:
		return langHTA
	case script && (job || scriptlet): // "<scriptlet" begins with "<script" as well
		return langWSF
	}
	return ""
}

// startsFold tells whether data begins with lower, without case.
func startsFold(data []byte, lower string) bool {
	return len(data) >= len(lower) && strings.EqualFold(string(data[:len(lower)]), lower)
}

// idleMark follows a language that languageOf has found to be idle.
const idleMark = "!"

// namedLanguage checks what an extension promises. The content of a name that
// several kinds of file share has to agree.
func namedLanguage(named string, data []byte) string {
	if named == langJScript {
		return windowsJScript(data)
	}
	if named == langPython && idle(langPython, data) {
		return named + idleMark
	}
	head := data[:min(len(data), longLook)]
	if named == langAppleScript && looksLikeJXA(head) {
		return langJXA
	}
	if found := dominant(data, longLook, 60); found != "" && found != named && plainlyOther(found, named) {
		return found
	}
	return named
}

// plainlyOther tells whether content may overrule an extension: the command
// languages share too many words to be told apart by them.
func plainlyOther(found, named string) bool {
	switch named {
	case langAppleScript, langPython, langVBScript:
		return found == langShell || found == langPowerShell || found == langAppleScript
	case langShell:
		return found == langAppleScript
	}
	return false
}

func looksLikeJXA(head []byte) bool {
	return bytes.Contains(head, []byte("ObjC.import")) || bytes.Contains(head, []byte("Application.currentApplication"))
}

// windowsJScript separates scripts for Windows Script Host and for macOS
// Automation from the JavaScript of pages and libraries.
func windowsJScript(data []byte) string {
	if looksLikeJXA(data) {
		return langJXA
	}
	if forBrowsersOrNode(data) {
		return ""
	}
	for _, word := range []string{"ActiveXObject", "WScript", "GetObject("} {
		if bytes.Contains(data, []byte(word)) {
			return langJScript
		}
	}
	head := data[:min(len(data), 16*longLook)]
	pieces := bytes.Count(head, []byte(`"+"`)) + bytes.Count(head, []byte(`'+'`)) + bytes.Count(head, []byte(`" + "`)) + bytes.Count(head, []byte(`' + '`)) +
		bytes.Count(head, []byte("fromCharCode")) + bytes.Count(head, []byte(`\x`))/4
	if pieces < 6 {
		return ""
	}
	return langJScript + "?"
}

// dominant returns the language whose statements make up at least percent of
// the lines of the first look bytes of text, "" if there is none. Blank lines
// and comments say nothing: a head of them alone makes it look on.
func dominant(data []byte, look, percent int) string {
	var c census
	base := 0
	for off := 0; off < len(data) && c.lines < lookLines; {
		end := bytes.IndexByte(data[off:], '\n')
		cr := -1
		if end < 0 || end > 200 {
			cr = bytes.IndexByte(data[off:off+min(len(data)-off, max(end, 1<<12))], '\r')
		}
		if cr >= 0 && (end < 0 || cr < end) {
			end = cr
		}
		if end < 0 {
			end = len(data) - off
		}
		before := c.lines
		c.line(data[off : off+min(end, 512)])
		if before == 0 && c.lines > 0 {
			base = off
		}
		off += end + 1
		if c.lines > 0 && off-base > look || c.foreign {
			break
		}
	}
	return c.verdict(percent)
}
