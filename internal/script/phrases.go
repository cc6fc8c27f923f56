package script

import (
	"bytes"
	"strings"
)

// spoken says in which languages a first word may open a statement.
type spoken struct {
	bare tongue // languages in which the word may stand alone
	with tongue // languages in which it opens a statement if the rest looks like arguments
	sure tongue // the part of with that hardly is anything else
}

// openers are the first words of statements, in lower case. Words of a sentence
// (set, if, for, find, open) need something after them that sentences lack.
var openers = openerTable()

func openerTable() map[string]spoken {
	table := map[string]spoken{}
	add := func(words string, s spoken) {
		for _, w := range strings.Fields(words) {
			old := table[w]
			table[w] = spoken{old.bare | s.bare, old.with | s.with, old.sure | s.sure}
		}
	}
	const sh, bat, ps, as, vb, py = shellTongue, batchTongue, powerTongue, appleTongue, vbTongue, pyTongue
	add("curl wget chmod xattr nohup sudo osascript launchctl unzip chown export zsh bash sh codesign spctl nscurl eval hdiutil ditto pkill killall softwareupdate mktemp", spoken{with: sh, sure: sh})
	add("git brew cargo gem pip3 make tar base64 apt-get", spoken{with: sh})
	add("curl certutil bitsadmin mshta powershell powershell.exe rundll32 regsvr32 schtasks attrib wscript cscript cmd cmd.exe reg taskkill setlocal msiexec xcopy robocopy icacls wmic", spoken{with: bat, sure: bat})
	add("@echo @setlocal @powershell @curl @start @call @cmd @mshta @rem", spoken{bare: bat, with: bat, sure: bat})
	add("setlocal endlocal pause cls", spoken{bare: bat})
	add("echo set start del copy move goto if for call exit timeout title md mkdir cd rd ren tar color ping net sc >", spoken{with: bat})
	add("echo printf cd mkdir rm cp mv ln set source . read trap exec local return exit shift unset alias test [ [[ cat grep sed awk gawk find sleep open touch tar gzip base64 kill git brew apt apt-get yum dnf pip pip3 npm node python python3 perl ruby make defaults plutil security dscl sqlite3 systemctl service install cut tr head tail sort tee xargs date id uname which command type for if while until case elif env ps ls", spoken{with: sh})
	add("fi done esac then do else ;; { } set", spoken{bare: sh})
	add("try else end activate", spoken{bare: as})
	add("iex irm iwr invoke-expression invoke-webrequest invoke-restmethod start-process new-object add-mppreference set-mppreference start-bitstransfer expand-archive write-host write-output write-verbose set-executionpolicy add-type remove-item new-item get-childitem set-itemproperty new-itemproperty register-scheduledtask import-module start-sleep out-file set-content get-content copy-item test-path join-path get-item set-location invoke-item out-null unblock-file", spoken{with: ps, sure: ps})
	add("param( param try catch finally else } { begin process end )", spoken{bare: ps})
	add("powershell pwsh powershell.exe start", spoken{with: ps})
	add("dim msgbox wscript.echo wscript.sleep wscript.quit const executeglobal", spoken{with: vb, sure: vb})
	add("if for do while sub function end set else loop next call on private public wend exit with execute", spoken{with: vb})
	add("else loop next wend", spoken{bare: vb})
	add("print with return raise assert for if while elif global yield del async await", spoken{with: py})
	add("try: else: finally: pass break continue return", spoken{bare: py})
	return table
}

// wordSpeaks judges a line by its first word.
func wordSpeaks(word, rest []byte) (anyOf, strong tongue) {
	s, ok := openers[string(word)]
	if !ok {
		if !hasUpper(word) || len(word) > 24 {
			return 0, 0
		}
		if s, ok = openers[strings.ToLower(string(word))]; !ok {
			return 0, 0
		}
		const sensitive = shellTongue | pyTongue
		s.bare, s.with, s.sure = s.bare&^sensitive, s.with&^sensitive, s.sure&^sensitive
	}
	if len(rest) == 0 {
		return s.bare, s.bare & s.sure
	}
	if !looksLikeArguments(rest) {
		return 0, 0
	}
	return s.with, s.sure
}

func hasUpper(word []byte) bool {
	for _, c := range word {
		if c >= 'A' && c <= 'Z' {
			return true
		}
	}
	return false
}

// looksLikeArguments holds for a rest that is no continued sentence: a flag, a
// variable, a quote, a path, a URL, an operator, or at most two words.
func looksLikeArguments(rest []byte) bool {
	if rest[0] == '-' || rest[0] == '/' {
		return true
	}
	if bytes.ContainsAny(rest, "$|\"=%><;&[({\\~") || bytes.Contains(rest, []byte(" -")) || bytes.Contains(rest, []byte("/")) {
		return true
	}
	return bytes.Count(rest, []byte(" ")) < 2 && rest[len(rest)-1] != '.'
}

// shapeSpeaks judges a line by its shape.
func shapeSpeaks(line, word, rest []byte) (anyOf, strong tongue) {
	c := line[0] | 0x20
	switch {
	case c == 'd' || c == 't' || c == 'r' || c == 'e' || c == 's' || c == 'o' || c == 'u' || c == 'p' || c == '«' || c == 0xc2|0x20 || c == 'm':
		anyOf, strong = appleShape(line, rest)
	case line[0] == '$':
		if isPowerVariable(word, rest) {
			return powerTongue, powerTongue
		}
		return shellTongue, 0
	case line[0] == '[' && bytes.Contains(line, []byte("]::")):
		return powerTongue, powerTongue
	case line[0] == '(' && bytes.Contains(line, []byte("New-Object")):
		return powerTongue, powerTongue
	case line[0] == '%' && bytes.IndexByte(line[1:], '%') > 0:
		return batchTongue, 0
	case line[0] == '/' || line[0] == '.' && len(line) > 1 && line[1] == '/':
		return shellTongue, 0
	}
	if joinsCommands(line, rest) {
		return anyOf | shellTongue, strong | shellTongue
	}
	a, s := assignment(line, word, rest)
	anyOf, strong = anyOf|a, strong|s
	if a, s = pythonShape(line, word, rest); a != 0 {
		anyOf, strong = anyOf|a, strong|s
	}
	if hostObject(line) {
		anyOf |= vbTongue | jsTongue
		if line[len(line)-1] == ';' {
			strong |= jsTongue
		} else {
			strong |= vbTongue
		}
	}
	return anyOf, strong
}

// commandNames are programs that a line of commands often starts with.
var commandNames = map[string]bool{"cd": true, "git": true, "cargo": true, "gem": true, "pip3": true, "npm": true, "brew": true, "make": true, "mkdir": true, "tar": true, "python3": true}

// joinsCommands holds for a line of several commands, of which the first is a
// program that no other language has a word for.
func joinsCommands(line, rest []byte) bool {
	return bytes.Contains(rest, []byte(" && ")) && len(rest) < len(line) && commandNames[string(firstWord(line))]
}

func hostObject(line []byte) bool {
	return bytes.Contains(line, []byte("CreateObject(")) || bytes.Contains(line, []byte("WScript.")) || bytes.Contains(line, []byte("ActiveXObject"))
}

// isPowerVariable holds for "$name = …", "$name.Method(" and "$env:X".
func isPowerVariable(word, rest []byte) bool {
	if len(word) < 2 {
		return false
	}
	return bytes.HasPrefix(rest, []byte("=")) || bytes.HasPrefix(rest, []byte("+=")) || bytes.IndexByte(word, '.') > 0 || bytes.HasPrefix(bytes.ToLower(word), []byte("$env:"))
}

// assignment recognises NAME=value without blanks. Alone it proves nothing:
// configuration files consist of it.
func assignment(line, word, rest []byte) (anyOf, strong tongue) {
	if len(word) == 0 || len(word) == len(line) || line[len(word)] != '=' || !isName(word) {
		return 0, 0
	}
	if bytes.Contains(rest, []byte("$(")) || bytes.Contains(rest, []byte("`")) {
		return shellTongue, shellTongue
	}
	return shellTongue | pyTongue, 0
}

func isName(word []byte) bool {
	for _, c := range word {
		if !isWordByte(c) || c >= 0x80 {
			return false
		}
	}
	return len(word) > 0
}

var appleSure = []string{
	"do shell script", "tell application", "tell app \"", "tell me to ", "display dialog", "display alert", "display notification", "run script", "load script", "end tell",
	"end try", "on error", "end run", "on run", "end repeat", "use framework", "use scripting", "\u00abevent ", "set the clipboard to", "open location \"",
}

// appleShape recognises AppleScript's phrases.
func appleShape(line, rest []byte) (anyOf, strong tongue) {
	low := line
	if hasUpper(line[:min(len(line), 24)]) {
		low = bytes.ToLower(line[:min(len(line), 64)])
	}
	for _, p := range appleSure {
		if low[0] == p[0] && bytes.HasPrefix(low, []byte(p)) {
			return appleTongue, appleTongue
		}
	}
	if bytes.HasPrefix(low, []byte("set ")) && bytes.Contains(low, []byte(" to ")) && bytes.ContainsAny(rest, "\"&(«{") {
		return appleTongue, appleTongue
	}
	for _, p := range []string{"set ", "delay ", "end if", "property ", "repeat", "return ", "end ", "to ", "my ", "activate"} {
		if bytes.HasPrefix(low, []byte(p)) && (bytes.Count(low, []byte(" ")) <= 3 || bytes.ContainsAny(rest, "\"&")) {
			return appleTongue, 0
		}
	}
	return 0, 0
}

// pythonShape recognises imports, block openers and calls of Python.
func pythonShape(line, word, rest []byte) (anyOf, strong tongue) {
	last := line[len(line)-1]
	switch string(word) {
	case "import":
		if len(rest) > 0 && isImportList(rest) {
			return pyTongue, pyTongue
		}
		return 0, 0
	case "from":
		if bytes.Contains(rest, []byte(" import ")) && last != ';' && !bytes.ContainsAny(rest, "'\"") {
			return pyTongue, pyTongue
		}
		return 0, 0
	case "def", "class":
		if last == ':' {
			return pyTongue, pyTongue
		}
		return 0, 0
	}
	if last == ':' || last == ')' || last == ']' || last == ',' {
		return pyTongue, 0
	}
	if bytes.HasPrefix(rest, []byte("= ")) && last != ';' && isName(word) {
		return pyTongue | vbTongue, 0
	}
	return 0, 0
}

func isImportList(rest []byte) bool {
	for _, c := range rest {
		if !isWordByte(c) && c != '.' && c != ',' && c != ' ' || c >= 0x80 {
			return false
		}
	}
	return bytes.Count(rest, []byte(" ")) <= 2 || bytes.IndexByte(rest, ',') > 0 || bytes.Contains(rest, []byte(" as "))
}
