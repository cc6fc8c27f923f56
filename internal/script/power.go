package script

import (
	"regexp"
	"strconv"
	"strings"

	"meetguard"
)

// powerTools are PowerShell's ways to fetch, in lower case.
var powerTools = map[string]string{
	"iwr": "Invoke-WebRequest", "invoke-webrequest": "Invoke-WebRequest", "wget": "Invoke-WebRequest", "curl": "Invoke-WebRequest",
	"irm": "Invoke-RestMethod", "invoke-restmethod": "Invoke-RestMethod", "start-bitstransfer": "Start-BitsTransfer", "curl.exe": "curl",
	"mshta": "mshta", "mshta.exe": "mshta", "bitsadmin": "bitsadmin", "resolve-dnsname": "dns",
}

var powerMethods = []struct{ word, tool string }{
	{"downloadstring", "Net.WebClient"}, {"downloadfile", "Net.WebClient"}, {"downloaddata", "Net.WebClient"}, {"openread", "Net.WebClient"},
	{"getstringasync", "HttpClient"}, {"getbytearrayasync", "HttpClient"}, {"msxml2.", "MSXML2.XMLHTTP"}, {"winhttp.", "WinHttp"}, {"net.webrequest", "Net.WebRequest"},
}

// powerFetch recognises a cradle in a PowerShell statement.
func (a *analysis) powerFetch(i int) (fetching, bool) {
	s := &a.stmts[i]
	tool, word, at := "", "", 0
	for k, w := range s.words {
		if len(w) > 40 {
			continue
		}
		low := strings.ToLower(w)
		if t, ok := powerTools[low]; ok && (k == 0 || s.words[k-1] != "Alias") {
			tool, word, at = t, low, k
			break
		}
		for _, m := range powerMethods {
			if strings.Contains(low, m.word) {
				tool, word, at = m.tool, m.word, k
			}
		}
	}
	if tool == "" || tool == "curl" || tool == "mshta" || tool == "bitsadmin" { // these are read as nested commands
		return fetching{}, false
	}
	switch tool {
	case "MSXML2.XMLHTTP", "WinHttp":
		return a.hostObjectFetch(i, tool)
	case "dns": // ordinary unless the answer is executed
		return fetching{Fetch: meetguard.Fetch{Tool: tool, To: "pipe", RunBy: a.powerRunner(s)}}, a.powerRunner(s) != ""
	}
	f, ok := urlArgument(tool, s.words[at:])
	f.Tool, f.word = tool, word
	if !ok {
		if !powerComputed(s.words[at:]) {
			return f, false
		}
	}
	low := strings.ToLower(s.text)
	f.Insecure = f.Insecure || strings.Contains(low, "-skipcertificatecheck")
	f.powerOutput(s, at)
	if runner := a.powerRunner(s); runner != "" && f.output == "" {
		f.RunBy, f.To = runner, "pipe"
	}
	return f, true
}

// powerRunner tells what a statement executes computed text or bytes with: ""
// if it does not.
func (a *analysis) powerRunner(s *stmt) string {
	for _, w := range []string{"<iex>", "invoke-expression", "[scriptblock]::create", "invokescript(", "newscriptblock("} {
		if a.rules.word(&s.hits, w) {
			return "iex"
		}
	}
	if a.rules.word(&s.hits, "assembly]::load") || a.rules.word(&s.hits, "appdomain]::currentdomain.load") || a.rules.word(&s.hits, "<add-type>") {
		return "assembly"
	}
	return ""
}

// powerComputed tells whether a cradle has an argument that could be a URL.
func powerComputed(words []string) bool {
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "$") || strings.EqualFold(w, "-uri") {
			return true
		}
	}
	return false
}

func (f *fetching) powerOutput(s *stmt, at int) {
	for i := at; i+1 < len(s.words); i++ {
		switch strings.ToLower(s.words[i]) {
		case "-outfile", "-o", "-destination", "-out-file":
			f.output = s.words[i+1]
			return
		case "-useragent":
			f.agent = s.words[i+1]
		}
	}
	if strings.Contains(strings.ToLower(s.words[at]), "downloadfile") && len(s.words) > at+2 {
		f.output = s.words[at+2]
	}
	if f.Tool == "Start-BitsTransfer" && f.output == "" && len(s.words) > at+2 {
		f.output = s.words[len(s.words)-1]
	}
}

// powerKnown are variables of PowerShell that are the same everywhere: tricks
// spell words with single letters of them.
var powerKnown = map[string]string{
	"$env:comspec": `C:\WINDOWS\system32\cmd.exe`, "$env:public": `C:\Users\Public`, "$env:windir": `C:\WINDOWS`, "$env:systemroot": `C:\WINDOWS`,
	"$env:programdata": `C:\ProgramData`, "$env:programfiles": `C:\Program Files`, "$pshome": `C:\Windows\System32\WindowsPowerShell\v1.0`,
	"$shellid": "Microsoft.PowerShell", "$verbosepreference": "SilentlyContinue",
}

// Forms of PowerShell that compute characters. They are replaced by operators
// of this package, which have no blanks to the outside and no braces.
var (
	charLoop    = regexp.MustCompile(`(?i)\|\s*(?:%|foreach(?:-object)?)\s*\{\s*\[char\]\s*\(?\s*(?:\[(?:int|byte)\]\s*)?\(?\$_\s*(?:(-bxor|-|\+)\s*(\$\w+|0x[0-9a-f]+|\d+))?\s*\)?\s*\)?\s*\}`)
	hexLoop     = regexp.MustCompile(`(?i)\|\s*(?:%|foreach(?:-object)?)\s*\{\s*\[char\]\s*\(?\s*\[convert\]::toint(?:16|32)\(\s*\$_\s*,\s*16\s*\)\s*\)?\s*\}`)
	reverseLoop = regexp.MustCompile(`(?i)\[\s*(?:-1\s*\.\.\s*-\s*\(?\s*(?:\$[\w:]+\.(?:length|count)|\d+)\s*\)?|\(?\s*\$[\w:]+\.(?:length|count)\s*-\s*1\s*\)?\s*\.\.\s*0)\s*\]`)
)

// powerForms writes those forms in a way that the joiner understands. The text
// keeps its length: offsets into it stay true.
func powerForms(text string) string {
	if strings.Contains(text, "..") && strings.Contains(text, "[") {
		text = reverseLoop.ReplaceAllStringFunc(text, func(s string) string { return padTo("[::]", len(s)) })
	}
	if !strings.Contains(text, "$_") || !strings.Contains(strings.ToLower(text), "[char]") {
		return text
	}
	text = hexLoop.ReplaceAllStringFunc(text, func(s string) string { return padTo(" -mg-hex", len(s)) })
	return charLoop.ReplaceAllStringFunc(text, func(s string) string {
		m := charLoop.FindStringSubmatch(s)
		operator := map[string]string{"": " -mg-add 0", "-bxor": " -mg-xor ", "+": " -mg-add ", "-": " -mg-sub "}[strings.ToLower(m[1])]
		return padTo(operator+m[2], len(s))
	})
}

func padTo(s string, n int) string {
	if len(s) >= n {
		return s[:n]
	}
	return s + strings.Repeat(" ", n-len(s))
}

// charOperator computes "list -mg-xor n" and its kin: every number of the list,
// or every character of the text, becomes a character.
func (j *joiner) charOperator(i int) {
	if i == 0 || j.out[i-1].kind != textToken {
		return
	}
	operator := j.out[i].text
	operand, size := 0, 1
	if operator != "-mg-hex" {
		if i+1 >= len(j.out) {
			return
		}
		n, err := strconv.ParseInt(j.out[i+1].value(), 0, 32)
		if err != nil {
			return
		}
		operand, size = int(n), 2
	}
	list := j.out[i-1].list
	if list == nil {
		list = strings.Split(j.out[i-1].value(), "")
	}
	chars := make([]string, len(list))
	for k, item := range list {
		r, ok := shifted(item, operator, operand)
		if !ok {
			return
		}
		chars[k] = string(r)
	}
	rest := append([]token(nil), j.out[i+size:]...)
	space := j.out[i-1].space
	j.out = j.out[:i-1]
	j.changed = true
	j.pushList(chars, space)
	j.out = append(j.out, rest...)
}

func shifted(item, operator string, operand int) (rune, bool) {
	base := 0
	if operator == "-mg-hex" {
		base = 16
	}
	n, err := strconv.ParseInt(item, base, 32)
	if r := []rune(item); err != nil && len(r) == 1 {
		n, err = int64(r[0]), nil
	}
	switch operator {
	case "-mg-xor":
		n ^= int64(operand)
	case "-mg-add":
		n += int64(operand)
	case "-mg-sub":
		n -= int64(operand)
	}
	return rune(n), err == nil && n >= 0 && n <= 0x10ffff
}

// keepList remembers a list that a statement sets: $x = 1,2,3.
func (a *analysis) keepList(name string, rest []token) bool {
	j := joiner{out: rest}
	list, ok := j.literals(0)
	if !ok || len(list) < 2 {
		return false
	}
	size := 0
	for _, item := range list {
		size += len(item)
	}
	if size > maxValue || len(a.consts) > 1<<14 || !a.spend(size) {
		return false
	}
	a.consts[name] = value{list: list}
	return true
}

// callNames makes words of the texts that the call operators & and . take for
// the name of a command: & ('I'+'EX') is IEX.
func (j *joiner) callNames() {
	for i := 0; i+1 < len(j.out); i++ {
		t := &j.out[i]
		next := &j.out[i+1]
		if !t.is("&") && !(t.kind == wordToken && t.text == ".") || next.kind != textToken || next.list != nil {
			continue
		}
		if name := next.value(); len(name) <= 40 && name != "" && !strings.ContainsAny(name, " \n$\\/") {
			*next = token{kind: wordToken, space: next.space, text: name}
			j.changed = true
		}
	}
}

// keepAlias remembers the other name that a command gets: sal q iex.
func (a *analysis) keepAlias(words []string) {
	if len(words) < 3 {
		return
	}
	switch strings.ToLower(words[0]) {
	case "sal", "nal", "set-alias", "new-alias":
	default:
		return
	}
	var given []string
	for _, w := range words[1:] {
		if !strings.HasPrefix(w, "-") {
			given = append(given, w)
		}
	}
	if len(given) >= 2 && len(a.aliases) < 256 && len(given[0]) <= 40 {
		a.aliases[strings.ToLower(given[0])] = given[1]
	}
}
