package script

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"

	"meetguard"
)

// Instructions to run what is on the clipboard, in the text of a page, lower
// case and with single blanks. The names of keys are the same in most
// languages; what stands around them differs.
var (
	runBoxKeys = regexp.MustCompile(`(\bwin(dows)?|⊞|❖|виндовс|ويندوز|विंडोज)([ -]?(key|taste|tuşu?|toets|klawisz|tombol|phím|logo|键|鍵|キー|키|कुंजी|tecla|touche|tasto|клавиш\p{L}*))*( ?icon)?[ "'“”)\]]{0,3}( ?(\+|and|und|y|et|e|ve|i|en|dan|và|и|та|与|和|と|와|과|مع|و|और|के साथ|-|then) ?)["'“”(\[]{0,3}r\b|(открой|otwórz|abra|ouvrez|öffnen|open)\p{L}* .{0,20}\b(run|ausführen|выполнить|ejecutar|executar|exécuter|esegui) (dialog|box|window|окно|fenster)|\brun (dialog|box)\b`)
	spotlight  = regexp.MustCompile(`(⌘|\bcmd|command|команд\p{L}*)[ )]{0,2}\+? ?(space|leertaste|espace|espacio|пробел|空格|スペース)|\bspotlight\b`)
	terminal   = regexp.MustCompile(`\bterminal\b|терминал|термінал|终端|終端|ターミナル|터미널|الطرفية|टर्मिनल|powershell|command prompt|eingabeaufforderung|командн\p{L}* строк`)
	pasteKeys  = regexp.MustCompile(`(\bctrl|\bstrg|⌘|\bcmd|command|\bcontrol)[ "'“”)\]]{0,3}\+? ?["'“”(\[]{0,3}v\b|\bpaste|einfügen|collez|pegue|\bpega |cole |incolla|вставьте|вставте|粘贴|貼り付け|붙여|貼上|الصق|पेस्ट|चिपका|yapıştır|wklej|\bdán\b|plakken|\bplak\b|tempel|klistra|вклей`)
	humanCheck = regexp.MustCompile(`not a robot|captcha|are (you )?human|human verification|verify (that )?you|cloudflare|turnstile|не робот|kein roboter|pas un robot|no soy un robot|não sou um robô|non sono un robot|机器人|機器人|ロボット|로봇|روبوت|रोबोट|robot değilim|nie jestem robotem|niet een robot|geen robot|bukan robot|không phải.{0,10}người máy|non sono un robot|nejsem robot`)
	faultWords = regexp.MustCompile(`microphone|\bmic\b|camera|webcam|headset|speakers?\b|\baudio\b|\bmikro|kamera|микрофон|мікрофон|камер|наушник|гарнитур|麦克风|摄像头|耳机|マイク|カメラ|마이크|카메라|micrófono|cámara|microfone|câmera|caméra|\bmicro\b|microfono|meeting|interview|видеозвон|совещан|会议|会議|회의|reunión|reunião|réunion|besprechung|اجتماع|مكالمة|ميكروفون|كاميرا|माइक|कैमरा|मीटिंग|toplantı|mikrofon|spotkan|cuộc họp|vergader|rapat|\bcall\b|\broom\b|codec|entrevista|面试|面接|면접|собеседован|звон`)
)

// copies are the ways by which a script writes to the clipboard.
var copies = []string{"clipboard.write", "execcommand", "clipboarddata", "clipboarditem", "['clipboard']", "[\"clipboard\"]", "writetext"}

// command states the command that a page copies out of the reader's sight and
// tells to run.
func (p *pageText) command(s *meetguard.Script, traits map[string]bool) {
	all := strings.ToLower(strings.Join(p.scripts, "\n"))
	if !containsAny(all, copies) {
		return
	}
	literals := p.literals()
	instructions := strings.ToLower(p.visible)
	for _, l := range literals {
		if strings.Count(l, " ") >= 2 && len(l) < 4096 {
			instructions += "\n" + strings.ToLower(strings.Join(strings.Fields(stripTags(l)), " "))
		}
	}
	if !instructs(instructions) {
		return
	}
	shown := withoutBlanks(p.visible)
	tried := 0
	for _, text := range slices.Concat(literals, p.candidates) {
		language := commandLanguage(text)
		if language == "" || strings.Contains(shown, withoutBlanks(text)) {
			continue
		}
		if tried++; tried > maxCommands {
			break
		}
		found, _ := analyseText(language, utf8Encoding, normalise(text))
		if !runsSomething(found) {
			continue
		}
		traits[TraitPageCopiesCommand] = true
		for _, t := range found.Traits {
			traits[t] = true
		}
		s.Fetches, s.Hosts, s.Layers, s.Concat = found.Fetches, found.Hosts, found.Layers, found.Concat
		s.Tail = found.Tail
		break
	}
	if traits[TraitPageCopiesCommand] {
		p.user.dialog(p.visible)
		for _, l := range literals {
			p.user.dialog(stripTags(l))
		}
	}
}

func runsSomething(s *meetguard.Script) bool {
	for _, f := range s.Fetches {
		if f.RunBy != "" {
			return true
		}
	}
	return false
}

// instructs tells whether a text has its reader paste and run something.
func instructs(text string) bool {
	fault := humanCheck.MatchString(text) || faultWords.MatchString(text)
	switch {
	case runBoxKeys.MatchString(text):
		return true
	case spotlight.MatchString(text):
		return fault && pasteKeys.MatchString(text)
	}
	return fault && terminal.MatchString(text) && pasteKeys.MatchString(text)
}

// literals are the texts in the scripts of a page, put together.
func (p *pageText) literals() []string {
	var out []string
	size := 0
	for _, text := range p.scripts {
		size += len(text)
	}
	d := dialectOf(langJavaScript)
	a := newAnalysis(size)
	j := &joiner{a: a, d: d}
	for _, text := range p.scripts {
		a.findFunctions(d.lang, text)
		l := &lexer{d: d, s: text, comment: func(string) {}, report: func(int) {}}
		for toks := l.next(); toks != nil && len(out) < maxCandidates; toks = l.next() {
			a.reduce(j, toks)
			a.keepCounts(d, j.out)
			a.assignments(d, j.out)
			for i := range j.out {
				t := &j.out[i]
				if t.kind != textToken || t.size() < 8 || t.size() > maxCommand {
					continue
				}
				out = append(out, t.value())
				out = append(out, t.list...)
			}
		}
	}
	for _, text := range slices.Clone(out) { // what is decoded before it is copied
		if isEncodedShape(text) && len(text) >= minBlob {
			if plain, ok := decodeBlob(text); ok {
				out = append(out, plain)
			}
		}
	}
	return out
}

// commandLanguage tells which shell a text is a command of, "" if none of the
// programs of cradles opens it.
func commandLanguage(text string) string {
	text = strings.TrimLeft(text, " \t\n#$>")
	if len(text) < 8 || len(text) > maxCommand {
		return ""
	}
	word, _, _ := strings.Cut(text, " ")
	low := strings.ToLower(text[:min(len(text), 4096)])
	switch head := programName(strings.Trim(word, `"'^&(`)); head {
	case "powershell", "pwsh", "mshta", "cmd", "msiexec", "rundll32", "regsvr32", "certutil", "bitsadmin", "conhost", "wscript", "cscript", "forfiles", "schtasks", "start", "pcalua", "wt", "explorer", "ftp", "finger":
		return langBatch
	case "iex", "iwr", "irm", "invoke-expression", "invoke-webrequest", "invoke-restmethod", "start-process", "start-bitstransfer", "saps":
		return langPowerShell
	case "curl":
		if strings.Contains(low, "%temp%") || strings.Contains(low, "%appdata%") || strings.Contains(low, ".exe") || strings.Contains(low, "| cmd") || strings.Contains(low, "powershell") {
			return langBatch
		}
		return langShell
	case "wget", "bash", "sh", "zsh", "echo", "printf", "python", "python3", "osascript", "nohup", "sudo", "eval", "base64", "open", "xattr", "cd", "rm", "clear", "export", "nscurl", "perl", "ruby":
		return langShell
	}
	switch {
	case strings.HasPrefix(text, "/bin/") || strings.HasPrefix(text, "/usr/bin/"):
		return langShell
	case text[0] == '$' || text[0] == '&' || text[0] == '[':
		return langPowerShell
	case strings.Contains(low, "| bash") || strings.Contains(low, "|bash") || strings.Contains(low, "| zsh") || strings.Contains(low, "| sh"):
		return langShell
	}
	return ""
}

func withoutBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == 0xa0 {
			return -1
		}
		return r
	}, s)
}

func containsAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// programHeads are the first bytes of what runs or installs when it is opened.
var programHeads = [][]byte{[]byte("MZ"), {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}, []byte("FasdUAS"), []byte("xar!"), {0xcf, 0xfa, 0xed, 0xfe}, {0xca, 0xfe, 0xba, 0xbe}, {'L', 0, 0, 0, 1, 0x14, 2, 0}}

// smuggles tells whether a page holds a program in its text and hands it out
// as a download.
func (p *pageText) smuggles() bool {
	all := strings.ToLower(strings.Join(p.scripts, "\n"))
	hands := strings.Contains(all, "createobjecturl") || strings.Contains(all, "mssaveoropenblob") || strings.Contains(all, ".download") || p.downloads
	if !hands {
		return false
	}
	for _, text := range p.candidates {
		if _, data, ok := strings.Cut(text, ";base64,"); ok && isProgramText(data) {
			return true
		}
	}
	for _, script := range p.scripts {
		for _, quote := range []string{`"`, "'", "`"} {
			for piece := range strings.SplitSeq(script, quote) {
				if len(piece) >= 1000 && isProgramText(piece) {
					return true
				}
			}
		}
	}
	return false
}

// isProgramText tells whether a text is a program in base64, or an archive
// whose first file is one.
func isProgramText(text string) bool {
	if _, data, ok := strings.Cut(text[:min(len(text), 128)], ";base64,"); ok {
		text = text[len(text[:min(len(text), 128)])-len(data):]
	}
	head := make([]byte, 96)
	n, err := base64.StdEncoding.Decode(head, []byte(text[:min(len(text), 128)&^3]))
	if head = head[:n]; err != nil || n < 8 {
		return false
	}
	for _, h := range programHeads {
		if bytes.HasPrefix(head, h) {
			return len(text) >= 1000
		}
	}
	if !bytes.HasPrefix(head, []byte("PK\x03\x04")) || len(head) < 32 {
		return false
	}
	name := head[30:min(len(head), 30+int(head[26]))] // local file header, APPNOTE 4.3.7
	dot := bytes.LastIndexByte(name, '.')
	if dot < 0 {
		return false
	}
	switch strings.ToLower(string(name[dot:])) {
	case ".exe", ".msi", ".lnk", ".js", ".vbs", ".hta", ".iso", ".scpt", ".bat", ".cmd", ".ps1", ".wsf", ".jse", ".vhd", ".pkg", ".dmg", ".command":
		return true
	}
	return false
}

// remoteSearch is the address of a search in Windows Explorer that shows a
// folder of another machine as if it were one of this.
var remoteSearch = regexp.MustCompile(`(?i)search(?:-ms)?:[^"'<>\s]{0,400}?location(?::|%3a)(?:\\\\|%5c%5c|//|%2f%2f)([a-z0-9.-]{3,100})`)

// searchHosts are the machines that such addresses lead to. A name without a
// dot is a machine of the house.
func searchHosts(text string) []string {
	if !strings.Contains(strings.ToLower(text), "location") {
		return nil
	}
	var out []string
	for _, m := range remoteSearch.FindAllStringSubmatch(text, 16) {
		if host := hostOf(m[1]); strings.Contains(host, ".") && !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}
