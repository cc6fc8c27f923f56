package script

import (
	"html"
	"path"
	"regexp"
	"strings"

	"meetguard"
)

// A command that stands in a string, a here-document or the text that a script
// types into another program is not run by the script itself, so nothing follows
// it. It is still a cradle, written out, and a fact: Fetch.To is then "text".

const toText = "text"

const (
	maxLatent     = 8
	maxLatentLine = 4096
)

// The shapes of a cradle within one line, lower case, address first or last.
var (
	pipedInto  = regexp.MustCompile(`[./][a-z0-9-]+[^|\n]*\^?\|\s*(?:sudo\s+|command\s+|/usr/bin/env\s+|/usr/bin/|/bin/|xargs\s+\S+\s+)*(?:\"?\$\{?shell\b[^\s|]*|(?:ba|z|da|k|fi)?sh|iex|invoke-expression|cmd|python3?|perl|ruby|osascript|node|powershell|pwsh|php|tclsh|lua)(?:\.exe)?\s*(?:$|["\x60';&)>#}\\\],]|--?\s|-$|-s\b|2>|-[il]\b)`)
	evaluated  = regexp.MustCompile(`(?:\b(?:iex|invoke-expression|eval|source|exec|load|execute|executeglobal|addscript|invokescript)\b|\b(?:ba|z)?sh -c).{0,80}?(?:\bcurl|\bwget|\birm|\biwr|downloadstring|urlopen|invoke-restmethod|invoke-webrequest|https?::tiny|\bfetch\()`)
	handedOver = regexp.MustCompile(`(?:\bmshta(?:\.exe)?\b|\bregsvr32(?:\.exe)?\b|\bmsiexec(?:\.exe)?\b|\brundll32(?:\.exe)?\b|\bhh\.exe|\bcmstp(?:\.exe)?\b|\bpresentationhost(?:\.exe)?\b).{0,60}?https?:|\b(?:script|scriptlet):\s*https?:`)
	savedAs    = regexp.MustCompile(`(?:\bcurl|\bwget|\bcertutil|\bbitsadmin|\biwr|\birm|invoke-webrequest|start-bitstransfer|downloadfile)\b.*?(?:\s-[a-z]*o\s*|-outfile\s+|--output[ =]|-destination\s+|>\s*)["']?([^\s"';&|)]{2,120})`)
	address    = regexp.MustCompile(`[a-z][a-z0-9+.-]*://([a-z0-9.-]+\.[a-z0-9-]+)|\b(?:curl|wget|irm|iwr)\s+(?:-[a-z-]+\s+)*([a-z0-9-]+(?:\.[a-z0-9-]+)+)/`)
)

// latent finds the cradles that stand in the text and are no statement. Of a
// host that a statement fetches from, it is known what becomes of the result.
func (a *analysis) latent(text string, found []fetching) []fetching {
	var out []fetching
	for line := range strings.SplitSeq(text, "\n") {
		if len(out) >= maxLatent {
			break
		}
		if len(line) < 12 || len(line) > maxLatentLine || !a.spend(len(line)/8) {
			continue
		}
		low := strings.ToLower(strings.TrimSpace(line))
		if strings.HasPrefix(low, "#") || strings.HasPrefix(low, "rem ") || strings.HasPrefix(low, "::") || strings.HasPrefix(low, "//") || strings.HasPrefix(low, "--") {
			continue
		}
		if !strings.Contains(low, "://") && !strings.Contains(low, "curl") && !strings.Contains(low, "irm ") && !strings.Contains(low, "iwr ") && !strings.Contains(low, "wget") {
			continue
		}
		if host := latentHost(low); host != "" && !fetchesFrom(found, host) && writtenOut(low) {
			out = append(out, fetching{Fetch: meetguard.Fetch{Tool: "a written command", Host: host, To: toText}, stmt: -1})
		}
	}
	return out
}

// commandExtensions are files of which a part is a command that opening or
// importing them leads to, and whose own form is not read here.
var commandExtensions = map[string]bool{".reg": true, ".inf": true, ".msc": true, ".slk": true, ".csv": true, ".settingcontent-ms": true, ".csproj": true, ".proj": true, ".theme": true, ".rdp": true, ".sct": true}

// maxCommandFile bounds such a file: tables and projects of people are longer
// than a bait, and are not read.
const maxCommandFile = 64 << 10

// writtenIn looks for a cradle that is written out in such a file; nil if there
// is none.
func writtenIn(name string, data []byte) *meetguard.Script {
	if len(data) > maxCommandFile || !commandExtensions[strings.ToLower(path.Ext(name))] {
		return nil
	}
	encoding := encodingOf(data, "")
	a := newAnalysis(len(data))
	found := a.latent(html.UnescapeString(decode(data, encoding)), nil)
	if len(found) == 0 {
		return nil
	}
	s := &meetguard.Script{Language: "data", Encoding: encoding, Fetches: plainFetches(found)}
	for i := range found {
		s.Hosts = append(s.Hosts, found[i].Host)
	}
	return s
}

func fetchesFrom(found []fetching, host string) bool {
	for i := range found {
		if f := &found[i]; f.Host == host && (f.RunBy != "" || f.commanded) {
			return true
		}
	}
	return false
}

func writtenOut(low string) bool {
	if pipedInto.MatchString(low) || evaluated.MatchString(low) || handedOver.MatchString(low) {
		return true
	}
	m := savedAs.FindStringSubmatchIndex(low)
	if m == nil {
		return false
	}
	name := fileWord(low[m[2]:m[3]])
	_, next, more := strings.Cut(strings.NewReplacer(";", "&", "|", "&").Replace(low[m[3]:]), "&")
	return name != "" && more && strings.Contains(next, name)
}

func latentHost(low string) string {
	m := address.FindStringSubmatch(low)
	if m == nil {
		return ""
	}
	return hostOf(m[1] + m[2])
}
