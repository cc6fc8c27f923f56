package script

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"meetguard"
)

// A text can have its reader run a command as a page can: a note beside a file,
// an invitation, a mail. Unlike a page it shows the command. What sets it apart
// from the manual of a program is its story: a call that the reader has to be
// able to join.

// langText is the language of such a text.
const langText = "instructions"

const (
	maxInstructions = 64 << 10 // bytes of one text
	maxLineCommands = 48       // lines that may hold a command
)

var (
	// commandStart is where a command line begins in running text.
	commandStart = regexp.MustCompile("(?i)(?:^|[\\s\"'`“”«‘’:>(（：「])((?:/bin/|/usr/bin/)?(?:curl|wget|mshta|powershell|pwsh|iwr|irm|iex|invoke-expression|invoke-webrequest|invoke-restmethod|bash|zsh|sh|sudo|osascript|python3?|msiexec|certutil|bitsadmin|cmd|conhost|rundll32|regsvr32|wscript|echo|printf|base64|start-process|eval|nohup|perl|ruby|ftp|finger|npx|bunx?|deno|pip3?|brew|net use|explorer|search-ms)(?:\\.exe)?\\s+\\S.*)$")

	// pleas speak to one reader of a call that both wait for; a manual has none.
	pleas = regexp.MustCompile(`before (the|your|our|today.s|this|tomorrow.s|joining|you join|each)( \p{L}+){0,3} ?(call|meeting|interview|session|webinar|lesson|hearing|visit|demo|join)?|(re)?join (the|our|your|this|again|from)|cannot hear|can.?t hear|could not hear|couldn.t hear|can.t see you|cannot see you|the host|your host|interviewer|recruiter|hiring|our (engineer|studio|team|partner|recruiter|guest)|to join|to open the (transcript|recording|agenda|minutes)|the (call|meeting|room|interview) (opens|starts|will)|verif(y|ication)|the password of your mac|you will not see the characters|we cannot see|transcript of the call` +
		`|vom gastgeber|wieder beitreten|erneut beitreten|neu beitreten|vor (dem|der|ihrem|unserem) (gespräch|termin|besprechung|anruf|interview|sitzung)|teilnehmen|damit sie` +
		`|avant (l.|la |votre |notre |le )\S*(réunion|entretien|appel|visio)|rejoindre|antes de (la|tu|su|nuestra|a|sua|nossa) (llamada|reunión|entrevista|chamada|reunião)|unirse|unirte|entrar (na|en)|participar` +
		`|прежде чем|перед (звонком|встречей|собеседованием|созвоном)|подключит|присоедин|приєднат|войти в|会議に参加|参加する|参加方法|ミーティングに|面接|加入会议|参加会议|進入會議|面试前|入会|회의에 참여|참가|참여하|면접|اجتماع|للانضمام|मीटिंग में|शामिल|prima (della|del) (chiamata|riunione|colloquio)|partecipare|toplantıya|katıl|dołącz|przed (rozmową|spotkaniem)|tham gia|deelnemen|bergabung`)

	// warnings are of texts about such texts: notes of analysts, of a helpdesk.
	warnings = regexp.MustCompile(`phish|malware|malicious|lure|scam|attacker|threat actor|never (do|paste|run)|do not (run|paste)|don.t (run|paste)|ioc|sha-?256|t1204|clickfix|betrug|schadsoftware|nicht ausführen|niemals|hxxp|\[\.\]|honeypot|red team|cheat ?sheet|pentest|мошенн|вредонос|нельзя запускать|詐欺|诈骗|恶意`)

	// meetingWords are those of calls, interviews and their devices.
	meetingWords = regexp.MustCompile(`\bcalls?\b|conference|video|\bzoom\b|\bteams\b|\bwebex\b|\bmeet\b|اجتماع|الميكروفون|मीटिंग|माइक|colloquio|riunion|toplant|spotkan|cuộc họp|vergader|rapat|звонок|звонк|созвон|собеседован|面试|面接|면접|通話|通话|vorstellungsgespräch|gespräch|sprechstunde|entretien|entrevista|llamada|chamada|appel|transcript|recording|aufzeichnung|запис|録画|录像`)
)

// Instructions states what a text has its reader run, with nil and "" if it is no
// such text. Name decides how plainly it has to be told: the read-me of a program
// holds commands too. Behind a command everything is analysed as a script is.
func Instructions(name string, data []byte) (*meetguard.Script, string) {
	if len(data) > maxInstructions || len(data) < 24 || isBuild(data) {
		return nil, ""
	}
	encoding := encodingOf(data, "")
	if encoding != utf16LE && encoding != utf16BE && bytes.IndexByte(data, 0) >= 0 {
		return nil, ""
	}
	text := normalise(decode(data, encoding))
	if strings.HasPrefix(text, `{\rt`) {
		text = plainRichText(text)
	}
	commands := textCommands(text)
	if len(commands) == 0 {
		return nil, ""
	}
	low := strings.ToLower(strings.Join(strings.Fields(text), " "))
	file := strings.ToLower(name)
	if strings.HasSuffix(file, ".ics") { // an invitation speaks of a meeting whatever its words
		low += " meeting"
	}
	if !tellsStory(isManual(file, text), low) {
		return nil, ""
	}
	for _, command := range commands {
		found, _ := analyseText(commandLanguage(command), utf8Encoding, normalise(command))
		if !runsSomething(found) {
			continue
		}
		var user reading
		user.dialog(text)
		found.Language, found.Encoding, found.Lines = langText, encoding, strings.Count(text, "\n")+1
		found.Pretexts = user.pretexts(langText, 0)
		found.Traits = append(found.Traits, TraitTextInstructs)
		slices.Sort(found.Traits)
		found.BlankRun, found.CodeAfter = 0, false
		return found, user.banner()
	}
	return nil, ""
}

// isBuild holds for the instructions of a container build: a machine reads them.
func isBuild(data []byte) bool {
	return bytes.Contains(data, []byte("\nRUN ")) && (bytes.HasPrefix(data, []byte("FROM ")) || bytes.Contains(data, []byte("\nFROM ")))
}

// isManual holds for the text of a program's documentation: by its name, or by
// the marks of its code, which no invitation has.
func isManual(file, text string) bool {
	return strings.HasSuffix(file, ".md") || strings.Count(text, "\n```") >= 4
}

// tellsStory tells the texts that speak to their reader of a call: a manual only
// if it does so plainly.
func tellsStory(manual bool, low string) bool {
	if warnings.MatchString(low) {
		return false
	}
	meeting := faultWords.MatchString(low) || meetingWords.MatchString(low)
	plea := pleas.MatchString(low)
	if manual {
		return meeting && plea && len(low) < 4<<10
	}
	return meeting && (plea || runBoxKeys.MatchString(low) || terminal.MatchString(low) || pasteKeys.MatchString(low))
}

// textCommands finds the command lines in a text.
func textCommands(text string) []string {
	if !strings.Contains(text, "://") && !strings.Contains(text, "base64") && !strings.Contains(text, "|") {
		return nil
	}
	var out []string
	joined := strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		m := commandStart.FindStringSubmatch(line[:min(len(line), 8<<10)])
		if m == nil {
			continue
		}
		command := m[1]
		if at := strings.Index(line, command); at > 0 && line[at-1] == '`' {
			command, _, _ = strings.Cut(command, "`")
		}
		command = strings.TrimRight(command, "`”’»」 ")
		if strings.Count(command, `"`)%2 == 1 {
			command = strings.TrimSuffix(command, `"`)
		}
		if commandLanguage(command) != "" && len(out) < maxLineCommands {
			out = append(out, command)
		}
	}
	return out
}

// richWord is a control word of the Rich Text Format, with the blank that ends it.
var richWord = regexp.MustCompile(`\\(par|line|tab)\b ?|\\'([0-9a-fA-F]{2})|\\u-?\d+ ?\??|\\[a-z]+-?\d* ?|[{}]|\\([\\{}])`)

// plainRichText is the text of a rich text, without its layout.
func plainRichText(text string) string {
	return richWord.ReplaceAllStringFunc(strings.ReplaceAll(text, "\n", " "), func(word string) string {
		switch {
		case strings.HasPrefix(word, `\par`) && !strings.HasPrefix(word, `\pard`), strings.HasPrefix(word, `\line`):
			return "\n"
		case word == `\\`, word == `\{`, word == `\}`:
			return word[1:]
		case strings.HasPrefix(word, `\'`):
			return string(rune(hexByte(word[2:])))
		}
		return ""
	})
}

func hexByte(s string) (n int) {
	for i := range len(s) {
		n <<= 4
		switch c := s[i]; {
		case c <= '9':
			n |= int(c - '0')
		default:
			n |= int(c|0x20-'a') + 10
		}
	}
	return n
}
