package script

import (
	"path"
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
	{"net.httpwebrequest", "Net.WebRequest"}, {"sockets.tcpclient", "Net.Sockets"},
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
	case "Net.Sockets": // ordinary unless what comes is executed
		f := fetching{Fetch: meetguard.Fetch{Tool: tool, Insecure: true}, word: word}
		for _, w := range s.words[at:] {
			if host := hostOf(w); f.Host == "" && strings.Contains(host, ".") && !strings.Contains(strings.ToLower(w), "sockets") {
				f.Host = host
			}
		}
		return a.ifRun(i, f)
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
		if strings.HasPrefix(w, "$") || strings.HasPrefix(w, "@") || strings.EqualFold(w, "-uri") {
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
	if f.output == "" && at > 1 {
		for i, w := range s.words[:at-1] {
			if low := strings.ToLower(w); low == "set-content" || low == "add-content" || low == "sc" {
				f.output = s.words[i+1]
				if strings.EqualFold(f.output, "-path") || strings.EqualFold(f.output, "-literalpath") {
					f.output = s.words[i+2]
				}
				return
			}
		}
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
	eachLoop    = regexp.MustCompile(`(?i)foreach\s*\(\s*(\$\w+)\s+in\s+(\$\w+|@?\([\d,\sx]+\))\s*\)\s*\{\s*(\$\w+)\s*\+=\s*\[char\]\s*\(?\s*(?:\[(?:int|byte)\]\s*)?(\$\w+)\s*(?:(-bxor|-|\+)\s*(\$\w+|0x[0-9a-f]+|\d+))?\s*\)?\s*;?\s*\}`)
	hexLoop     = regexp.MustCompile(`(?i)\|\s*(?:%|foreach(?:-object)?)\s*\{\s*\[char\]\s*\(?\s*\[convert\]::toint(?:16|32)\(\s*\$_\s*,\s*16\s*\)\s*\)?\s*\}`)
	emptyFilter = regexp.MustCompile(`(?i)\|\s*(?:\?|where(?:-object)?)\s*\{\s*\$_\s*\}`)
	reverseLoop = regexp.MustCompile(`(?i)\[\s*(?:-1\s*\.\.\s*-\s*\(?\s*(?:\$[\w:]+\.(?:length|count)|\d+)\s*\)?|\(?\s*\$[\w:]+\.(?:length|count)\s*-\s*1\s*\)?\s*\.\.\s*0)\s*\]`)
)

// powerForms writes those forms in a way that the joiner understands. The text
// keeps its length: offsets into it stay true.
func powerForms(text string) string {
	if strings.Contains(text, "..") && strings.Contains(text, "[") {
		text = reverseLoop.ReplaceAllStringFunc(text, func(s string) string { return padTo("[::]", len(s)) })
	}
	if strings.Contains(text, "+=") && strings.Contains(strings.ToLower(text), "[char]") {
		text = eachLoop.ReplaceAllStringFunc(text, func(s string) string {
			m := eachLoop.FindStringSubmatch(s)
			if m[4] != m[1] {
				return s
			}
			return padTo(m[3]+"=-join ("+m[2]+charOperatorOf(m[5], m[6])+")", len(s))
		})
	}
	if strings.Contains(text, "$_") && strings.Contains(text, "{") { // leaves out what is empty
		text = emptyFilter.ReplaceAllStringFunc(text, func(s string) string { return padTo("", len(s)) })
	}
	if !strings.Contains(text, "$_") || !strings.Contains(strings.ToLower(text), "[char]") {
		return text
	}
	text = hexLoop.ReplaceAllStringFunc(text, func(s string) string { return padTo(" -mg-hex", len(s)) })
	return charLoop.ReplaceAllStringFunc(text, func(s string) string {
		m := charLoop.FindStringSubmatch(s)
		return padTo(charOperatorOf(m[1], m[2]), len(s))
	})
}

// charOperatorOf is the operator of this package for what a loop does to every
// number.
func charOperatorOf(sign, operand string) string {
	return map[string]string{"": " -mg-add 0", "-bxor": " -mg-xor ", "+": " -mg-add ", "-": " -mg-sub "}[strings.ToLower(sign)] + operand
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
	if i == 0 || j.out[i-1].kind != textToken && !j.numbersBefore(&i) {
		return
	}
	operator := j.out[i].text
	operand, size := 0, 1
	if operator != "-mg-hex" {
		if i+1 >= len(j.out) {
			return
		}
		n, err := strconv.ParseInt(j.out[i+1].value(), 0, 32)
		if count, ok := j.a.counts[strings.ToLower(j.out[i+1].text)]; err != nil && ok {
			n, err = int64(count), nil
		}
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

// numbersBefore makes a list of the numbers that stand before place i, commas
// between them, and moves i behind it.
func (j *joiner) numbersBefore(i *int) bool {
	from := *i
	for from > 0 && (j.out[from-1].kind == numberToken || j.out[from-1].is(",")) {
		from--
	}
	if from < len(j.out) && j.out[from].is(",") {
		from++
	}
	rest := append([]token(nil), j.out[*i:]...)
	whole := j.out
	j.out = j.out[:*i]
	list, ok := j.literals(from)
	if !ok || len(list) < 2 {
		j.out = whole
		return false
	}
	space := j.out[from].space
	j.out = j.out[:from]
	j.pushList(list, space)
	*i = len(j.out)
	j.out = append(j.out, rest...)
	return true
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

// patternNames are the commands that Get-Command and Get-Alias are asked for by
// a pattern that only one of them fits.
var patternNames = []string{"iex", "invoke-expression", "irm", "iwr", "invoke-restmethod", "invoke-webrequest", "invoke-command"}

// foundName is the command that "gcm i*x" finds, "" if it is none of those.
func foundName(inner []token) string {
	if len(inner) < 2 || len(inner) > 8 || inner[0].kind != wordToken {
		return ""
	}
	switch strings.ToLower(inner[0].text) {
	case "gcm", "get-command", "gal", "get-alias":
	default:
		return ""
	}
	var b strings.Builder
	for i := range inner[1:] {
		b.WriteString(inner[1+i].value())
	}
	pattern := strings.ToLower(b.String())
	if strings.Trim(pattern, "*?") == "" || !strings.ContainsAny(pattern, "*?") {
		return ""
	}
	for _, name := range patternNames {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return name
		}
	}
	return ""
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
