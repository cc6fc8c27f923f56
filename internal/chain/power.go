package chain

import (
	"regexp"
	"strings"

	"meetguard"
)

// power reads PowerShell, where the structure of its script is not known: the
// file it runs and the words that nothing else has.
func (r *reader) power(args []string, all string) {
	for i, a := range args {
		low := strings.ToLower(a)
		switch {
		case (low == "-file" || low == "-f" || low == "/file") && i+1 < len(args):
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: args[i+1], What: "powershell"})
		case i == 0 && strings.HasSuffix(low, ".ps1"):
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: a, What: "powershell"})
		case len(low) > 1 && (low[0] == '-' || low[0] == '/') && len(low) < 16 && strings.HasPrefix("encodedcommand", low[1:]) && low != "-ep", low == "-ec":
			r.add(meetguard.Deed{Kind: meetguard.DeedEncoded, What: "powershell"})
		}
	}
	if strings.Count(all, "'+'") > 1 {
		r.add(meetguard.Deed{Kind: meetguard.DeedEncoded, What: "split"})
	}
	for _, m := range powerMarks {
		for _, w := range m.words {
			if says(all, w) && (m.deed.Kind != meetguard.DeedBlind || turnsOff(all)) {
				r.add(m.deed)
				break
			}
		}
	}
	r.powerBrings(args)
	if r.has(meetguard.DeedFetch) || r.has(meetguard.DeedUnpack) {
		r.powerFiles(args)
	}
	r.powerSends(args)
	r.powerStays(args, all)
}

// switchedOff is a part of the scanner that a line switches off, and not on again.
var switchedOff = regexp.MustCompile(`-disable[a-z]+(?:[ :]+(\S+))?`)

// turnsOff says whether what a line tells the scanner makes it see less: most that it
// can be told makes it see more.
func turnsOff(all string) bool {
	if !strings.Contains(all, "mppreference") || strings.Contains(all, "-exclusion") {
		return true
	}
	for _, m := range switchedOff.FindAllStringSubmatch(all, -1) {
		if to := strings.Trim(m[1], `"';)}`); to != "$false" && to != "0" && to != "false" {
			return true
		}
	}
	return strings.Contains(all, "amsiutils") || strings.Contains(all, "consent") || strings.Contains(all, "-mapsreporting")
}

// says holds for a word of PowerShell; one of three letters is no part of another:
// "firm" brings nothing.
func says(all, word string) bool {
	if short := strings.TrimRight(word, " "); len(short) == 3 {
		return names(all, short)
	}
	return strings.Contains(all, word)
}

// powerBrings names the host of a download, where the text has one alone.
func (r *reader) powerBrings(args []string) {
	text := strings.ToLower(strings.Join(args, " "))
	host, _ := split(urlText(text))
	if host == "" || strings.Count(text, "://") != strings.Count(text, "://"+host) {
		return
	}
	for i := range r.out {
		if d := &r.out[i]; d.Kind == meetguard.DeedFetch && d.What == "powershell" && d.Host == "" {
			d.Host = host
		}
	}
}

// powerSends names what is sent, and whom to.
func (r *reader) powerSends(args []string) {
	for i := range r.out {
		if d := &r.out[i]; d.Kind == meetguard.DeedUpload && d.What == "powershell" && d.Host == "" {
			text := strings.Join(args, " ")
			if d.Host, _ = split(urlText(text)); d.Host == "" {
				d.Host = strings.ToLower(after(strings.Fields(text), "-smtpserver"))
			}
			d.File = pathAmong(append(quotedIn(text), exactAfter(strings.Fields(text), "-InFile"), exactAfter(strings.Fields(text), "-infile")))
			if strings.Contains(text, "api.telegram.org/bot") {
				d.What = "telegram bot"
			}
		}
	}
}

// powerStays finds what PowerShell starts by another's hand and what it leaves.
func (r *reader) powerStays(args []string, all string) {
	persist := func(what string) {
		r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: what, File: pathAmong(quotedIn(strings.Join(args, " ")))})
	}
	switch {
	case containsAny(all, "commandlineeventconsumer", "__eventfilter"):
		persist("event")
	case containsAny(all, "set-itemproperty", "new-itemproperty", "sp ") && containsAny(all, runKeys...):
		persist("run key")
	case containsAny(all, "register-scheduledjob", "set-scheduledtask"), strings.Contains(all, "schtasks") && strings.Contains(all, "/create"):
		persist("task")
	case containsAny(all, "out-file", "set-content", "add-content", "copy-item", "createshortcut", "new-item", "move-item", ">") && (strings.Contains(all, `\startup\`) || strings.Contains(all, "$profile") || strings.Contains(all, "getfolderpath('startup')")):
		persist("startup folder")
	}
	if containsAny(all, "win32_process", "shellexecute", "shellbrowserwindow", "shellwindows", "mmc20.application") && containsAny(all, "create", "shellexecute") {
		r.detour(pathAmong(quotedIn(strings.Join(args, " "))))
	}
	if containsAny(all, "new-localuser", "add-localgroupmember") {
		r.add(meetguard.Deed{Kind: meetguard.DeedAdmit, What: "account"})
	}
	if containsAny(all, "copyfromscreen") {
		r.add(meetguard.Deed{Kind: meetguard.DeedSpy, What: "screen"})
	}
	if containsAny(all, "get-clipboard", "clipboard]::gettext") {
		r.add(meetguard.Deed{Kind: meetguard.DeedSpy, What: "clipboard"})
	}
}

// powerFiles finds the files of a download and of what is done with it.
func (r *reader) powerFiles(args []string) {
	host, _ := split(urlIn(args))
	text := strings.Join(args, " ")
	words := splitWindows(strings.NewReplacer(";", " ; ", "(", " ", ")", " ", ",", " ", "'", `"`, "|", " | ", "{", " ", "}", " ").Replace(text))
	for i, w := range words {
		low := strings.ToLower(w)
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch {
		case low == "-outfile" || low == "-o" || low == "-destination":
			r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: "powershell", Host: host, File: next})
		case strings.HasSuffix(low, "downloadfile") && i+2 < len(words):
			r.add(meetguard.Deed{Kind: meetguard.DeedFetch, What: "powershell", Host: host, File: words[i+2]})
		case (low == "-path" || low == "-literalpath") && r.has(meetguard.DeedUnpack):
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "unpack", File: next})
		case low == "-destinationpath":
			r.add(meetguard.Deed{Kind: meetguard.DeedUnpack, What: "powershell", File: next})
		case low == "start-process" || low == "saps" || low == "start" || low == "&":
			if !strings.HasPrefix(next, "-") {
				r.add(meetguard.Deed{Kind: meetguard.DeedRun, What: "program", File: next})
			}
		}
	}
}

// powerMark is a deed that words of PowerShell stand for.
type powerMark struct {
	deed  meetguard.Deed
	words []string
}

var powerMarks = []powerMark{
	{meetguard.Deed{Kind: meetguard.DeedHide, What: "window"}, []string{" -w hidden", " -windowstyle hidden", " -win hidden", " -w h ", " -w 1 ", " -windowstyle h ", " -wi hidden"}},
	{meetguard.Deed{Kind: meetguard.DeedFetch, What: "powershell"}, []string{"invoke-webrequest", "iwr ", "irm ", "invoke-restmethod", "downloadstring", "downloadfile", "downloaddata", "start-bitstransfer", "curl.exe ", "net.webclient", " wget "}},
	{meetguard.Deed{Kind: meetguard.DeedEncoded, What: "eval"}, []string{"iex", "invoke-expression", "scriptblock]::create", "[convert]::frombase64", "frombase64string"}},
	{meetguard.Deed{Kind: meetguard.DeedBlind, What: "defender"}, []string{"add-mppreference", "set-mppreference", "amsiutils", "disablerealtimemonitoring"}},
	{meetguard.Deed{Kind: meetguard.DeedUnpack, What: "powershell"}, []string{"expand-archive", "extracttodirectory"}},
	{meetguard.Deed{Kind: meetguard.DeedPack, What: "powershell"}, []string{"compress-archive", "createfromdirectory"}},
	{meetguard.Deed{Kind: meetguard.DeedUpload, What: "powershell"}, []string{"-method post", "uploadfile", "uploaddata", "uploadstring", "-infile ", "send-mailmessage", "mail.smtpclient"}},
	{meetguard.Deed{Kind: meetguard.DeedPersist, What: "powershell"}, []string{"register-scheduledtask", `\currentversion\run`, "new-service"}},
	{meetguard.Deed{Kind: meetguard.DeedPrompt, What: "powershell"}, []string{"promptforcredential", "get-credential"}},
	{meetguard.Deed{Kind: meetguard.DeedDequarantine, What: "powershell"}, []string{"unblock-file"}},
}

// sparedPaths are the paths that PowerShell is told to keep the scanner away from.
var sparedPaths = regexp.MustCompile(`(?i)-exclusion(?:path|process)\s+((?:["']?[a-z%$][^"',;|]*["']?(?:\s*,\s*)?)+)`)

// sparesItself says whether all that the scanner is kept away from lies where only
// administrators may write, in a folder of its own: that is what setups do for the
// sake of speed.
func sparesItself(all string) bool {
	found := sparedPaths.FindAllStringSubmatch(all, -1)
	if len(found) == 0 || strings.Count(strings.ToLower(all), "mppreference") != len(found) || strings.Contains(strings.ToLower(all), "-disable") {
		return false
	}
	for _, m := range found {
		for _, p := range strings.Split(m[1], ",") {
			low := strings.ReplaceAll(strings.ToLower(strings.Trim(strings.TrimSpace(p), `"' `)), `\`, "/")
			_, rest, ok := strings.Cut(low, ":/program files")
			if !ok || strings.Count(strings.Trim(rest, "/ "), "/") < 1 && !strings.HasPrefix(rest, "/") || len(rest) < 4 {
				return false
			}
		}
	}
	return true
}
