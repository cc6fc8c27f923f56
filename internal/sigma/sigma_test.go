package sigma

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"meetguard"
)

// ruleWith is a whole rule around a detection.
func ruleWith(detection string) string {
	return "title: Test\nid: 11111111-2222-3333-4444-555555555555\nlogsource:\n  category: process_creation\ndetection:\n" + indent(detection)
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}

func mustLoad(t testing.TB, text string) *Rules {
	t.Helper()
	rs, problems := Load([]Source{{"test.yml", text}})
	if len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, text)
	}
	return rs
}

func windows(exe, command string) meetguard.Facts {
	return meetguard.Facts{Process: &meetguard.Process{OS: "windows", Exe: exe, CommandLine: command}}
}

// TestValues holds the meaning of values and modifiers to the specification.
func TestValues(t *testing.T) {
	for _, tc := range []struct {
		item    string // of a search over the command line
		yes, no []string
	}{
		{`CommandLine: 'Foo bar'`, []string{"foo BAR"}, []string{"foo bar ", "a foo bar"}},
		{`CommandLine: 'foo*'`, []string{"foo", "FOOxy"}, []string{"afoo"}},
		{`CommandLine: '*foo'`, []string{"foo", "xfoo"}, []string{"foox"}},
		{`CommandLine: 'a*b*c'`, []string{"abc", "a1b2c", "abbcc"}, []string{"acb", "abcd", "xabc"}},
		{`CommandLine: 'aba*ba'`, []string{"ababa", "aba-ba"}, []string{"aba"}},
		{`CommandLine: 'a?c'`, []string{"abc", "aöc"}, []string{"ac", "abbc"}},
		{`CommandLine: 'a\*c'`, []string{"a*c"}, []string{"abc"}},
		{`CommandLine: 'a\?c'`, []string{"a?c"}, []string{"abc"}},
		{`CommandLine: 'C:\Windows\x'`, []string{`c:\windows\X`}, []string{`c:windows\x`}},
		{`CommandLine: 'C:\\Windows'`, []string{`C:\Windows`}, []string{`C:\\Windows`}},
		{`CommandLine: '\\\\host\share'`, []string{`\\host\share`}, []string{`\host\share`}},
		{`CommandLine: 'dir\\*'`, []string{`dir\`, `dir\x`}, []string{"dir*", "dirx"}},
		{`CommandLine|contains: 'b*d'`, []string{"abcde", "bd"}, []string{"db"}},
		{`CommandLine|contains: 'b?d'`, []string{"abcde"}, []string{"bd", "abd"}},
		{`CommandLine|endswith: 'b?d'`, []string{"xbcd"}, []string{"bcdx", "cd"}},
		{`CommandLine|startswith: 'b?d'`, []string{"bcdx"}, []string{"xbcd", "bc"}},
		{`CommandLine|contains: ['one', 'two']`, []string{"a two", "ONE"}, []string{"three"}},
		{`CommandLine|contains|all: ['one', 'two']`, []string{"two one"}, []string{"one", "two"}},
		{`CommandLine|all|contains: ['one', 'two']`, []string{"two one"}, []string{"one"}},
		{`CommandLine|contains|cased: 'One'`, []string{"a One"}, []string{"a one"}},
		{`CommandLine|contains|windash: ' -enc '`, []string{"p -enc x", "p /ENC x", "p –enc x", "p ―enc x"}, []string{"p enc x"}},
		{`CommandLine|windash|contains|all: [' -a', ' /b-c']`, []string{"x /a -b-c", "x -a —b-c"}, []string{"x /a", "x -a /bxc"}},
		{`CommandLine|re: 'f[o0]+$'`, []string{"afoo"}, []string{"foob", "FOO"}},
		{`CommandLine|re|i: 'f[o0]+$'`, []string{"aFOO"}, []string{"foob"}},
		{`CommandLine|i|re: 'f[o0]+$'`, []string{"aFOO"}, []string{"foob"}},
		{`CommandLine|base64|contains: 'foobar'`, []string{"x Zm9vYmFy"}, []string{"foobar"}},
		{`CommandLine|base64offset|contains: 'foobar'`, []string{"Zm9vYmFyxxx", "AGZvb2Jhcg==", "AAFmb29iYXI="}, []string{"foobar"}},
		{`CommandLine|wide|base64offset|contains: 'iex'`, []string{"aQBlAHgA", "xxpAGUAeA"}, []string{"aWV4"}},
		{`CommandLine|exists: true`, []string{"x"}, []string{""}},
		{`CommandLine|cidr: '10.0.0.0/8'`, []string{"10.1.2.3"}, []string{"11.1.2.3", "x"}},
		{`CommandLine|gte: 5`, []string{"5", "6.5"}, []string{"4", "x", ""}},
		{`CommandLine|lt: 5`, []string{"4"}, []string{"5", ""}},
		{`CommandLine|neq: 'foo'`, []string{"bar"}, []string{"FOO", ""}},
		{`CommandLine: 4688`, []string{"4688"}, []string{"4689"}},
		{`CommandLine: '*'`, []string{"anything"}, []string{""}},
		{`CommandLine|contains: 'ÄÖ'`, []string{"xäöx"}, []string{"ao"}},
	} {
		rs := mustLoad(t, ruleWith("s:\n  "+tc.item+"\ncondition: s"))
		for _, line := range tc.yes {
			if len(rs.Match(windows("x.exe", line))) != 1 {
				t.Errorf("%s does not match %q", tc.item, line)
			}
		}
		for _, line := range tc.no {
			if len(rs.Match(windows("x.exe", line))) != 0 {
				t.Errorf("%s matches %q", tc.item, line)
			}
		}
	}
}

func TestConditions(t *testing.T) {
	searches := "a:\n  CommandLine|contains: aaa\nb1_x:\n  CommandLine|contains: bbb\nb2_x:\n  CommandLine|contains: ccc\n_f:\n  CommandLine|contains: fff\ncondition: "
	for _, tc := range []struct {
		condition string
		yes, no   []string
	}{
		{"a", []string{"aaa"}, []string{"bbb"}},
		{"a and not b1_x", []string{"aaa"}, []string{"aaa bbb"}},
		{"a or b1_x and b2_x", []string{"aaa", "bbb ccc"}, []string{"bbb", "ccc"}},
		{"(a or b1_x) and b2_x", []string{"aaa ccc"}, []string{"aaa", "bbb"}},
		{"1 of b*", []string{"bbb", "ccc"}, []string{"aaa"}},
		{"any of b*_x", []string{"bbb", "ccc"}, []string{"aaa"}},
		{"all of b*", []string{"bbb ccc"}, []string{"bbb", "ccc"}},
		{"all of b?_x and not _f", []string{"bbb ccc"}, []string{"bbb ccc fff"}},
		{"1 of them", []string{"aaa", "ccc"}, []string{"fff", "x"}},
		{"all of them", []string{"aaa bbb ccc"}, []string{"aaa bbb fff"}},
		{"A AND NOT b1_x OR _f", nil, nil},
		{"a AND NOT 1 OF b*", []string{"aaa"}, []string{"aaa ccc"}},
		{"[a, b1_x]", []string{"aaa", "bbb"}, []string{"ccc"}},
	} {
		text := ruleWith(searches + tc.condition)
		if tc.yes == nil { // names are told apart by case
			if _, problems := Load([]Source{{"t", text}}); len(problems) != 1 {
				t.Errorf("%s: %v, want a problem", tc.condition, problems)
			}
			continue
		}
		rs := mustLoad(t, text)
		for _, line := range tc.yes {
			if len(rs.Match(windows("x", line))) != 1 {
				t.Errorf("%s does not match %q", tc.condition, line)
			}
		}
		for _, line := range tc.no {
			if len(rs.Match(windows("x", line))) != 0 {
				t.Errorf("%s matches %q", tc.condition, line)
			}
		}
	}
}

func TestNullMatchesWhatIsUnknown(t *testing.T) {
	rs := mustLoad(t, ruleWith("s:\n  Image|endswith: '\\x.exe'\nn:\n  ParentImage: null\ncondition: s and n"))
	f := windows(`C:\x.exe`, "")
	if len(rs.Match(f)) != 1 {
		t.Error("an unknown parent is not null")
	}
	f.Process.Ancestors = []meetguard.Process{{Exe: "a.exe"}}
	if len(rs.Match(f)) != 0 {
		t.Error("a known parent is null")
	}
	rs = mustLoad(t, ruleWith("s:\n  IntegrityLevel: High\ncondition: s"))
	if len(rs.Match(f)) != 0 {
		t.Error("a field that no launch has equals something")
	}
}

func TestKeywordsAndListsOfSearches(t *testing.T) {
	rs := mustLoad(t, ruleWith("k:\n  - evil\n  - Image|endswith: '\\x.exe'\n    CommandLine|contains: run\ncondition: k"))
	for _, tc := range []struct {
		exe, line string
		want      int
	}{{`C:\evilthing.exe`, "", 1}, {`C:\y.exe`, "be EVIL", 1}, {`C:\x.exe`, "run", 1}, {`C:\x.exe`, "walk", 0}, {`C:\y.exe`, "run", 0}} {
		if got := len(rs.Match(windows(tc.exe, tc.line))); got != tc.want {
			t.Errorf("%s %s: %d matches, want %d", tc.exe, tc.line, got, tc.want)
		}
	}
}

func TestFieldReference(t *testing.T) {
	rs := mustLoad(t, ruleWith("s:\n  Image|fieldref: ParentImage\ncondition: s"))
	f := windows(`C:\A.exe`, "")
	if len(rs.Match(f)) != 0 {
		t.Error("something equals what is unknown")
	}
	f.Process.Ancestors = []meetguard.Process{{Exe: `c:\a.exe`}}
	if len(rs.Match(f)) != 1 {
		t.Error("equal fields are not equal")
	}
}

func TestFields(t *testing.T) {
	f := meetguard.Facts{SHA256: "ab", Origin: meetguard.Origin{Host: "h.invalid"},
		Claims:    []meetguard.Claim{{Text: "Zoom.exe", Source: meetguard.ClaimOriginal}, {Text: "Maker", Source: meetguard.ClaimCompanyName}},
		Signature: meetguard.Signature{Status: meetguard.SignatureValid, Subject: "Maker Inc.", TeamID: "ABCDEFGHIJ", SigningID: "m.x"},
		Script:    &meetguard.Script{Traits: []string{"upload"}, Fetches: []meetguard.Fetch{{Tool: "curl", Host: "a.invalid", RunBy: "sh", To: "pipe"}, {Tool: "wget"}}},
		Process: &meetguard.Process{OS: "linux", Exe: "sh", Args: []string{"sh", "-c", "x y"}, User: "u", Cwd: "/w",
			Ancestors: []meetguard.Process{{Exe: "/bin/p", CommandLine: "p 1"}, {Exe: "/bin/g"}}}}
	f.Process.Started = time.Date(2026, 11, 22, 12, 1, 30, 0, time.UTC)
	f.Landed = &meetguard.Landing{Time: f.Process.Started.Add(-90*time.Second - time.Millisecond)}
	fs := newFields()
	l := fs.launch(&f)
	for name, want := range map[string]string{
		"Image": "/sh", "CommandLine": "sh -c x y", "ParentImage": "/bin/p", "ParentCommandLine": "p 1", "GrandparentImage": "/bin/g",
		"Ancestors": "p,g", "AncestorImages": "/bin/p,/bin/g", "User": "u", "CurrentDirectory": "/w", "OriginalFileName": "Zoom.exe",
		"Company": "Maker", "Product": "", "Description": "", "Hashes": "SHA256=AB", "sha256": "ab", "Signer": "Maker Inc.", "SignatureStatus": "valid",
		"TeamID": "ABCDEFGHIJ", "SigningID": "m.x", "OriginHost": "h.invalid", "OriginReferrerHost": "", "FetchHost": "a.invalid", "FetchTool": "curl,wget",
		"DownloadAgeSeconds": "90", "FetchRunBy": "sh", "FetchTo": "pipe", "Traits": "upload", "Hosts": "", "Pretexts": "",
	} {
		if got := strings.Join(l.value(fs.id(name)).raw, ","); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if fs.count() != 29 || len(taxonomy) != 29 {
		t.Errorf("%d fields, and this test asks for 29", fs.count())
	}
	f.Signature.Status = meetguard.SignatureInvalid
	l = fs.launch(&f)
	f.Landed.Time = f.Process.Started.Add(time.Minute) // it landed again since
	if got := l.value(fs.id("DownloadAgeSeconds")).raw; got != nil {
		t.Errorf("the age of what landed later is %q", got)
	}
	for _, name := range []string{"Signer", "TeamID", "SigningID"} {
		if got := l.value(fs.id(name)).raw; got != nil {
			t.Errorf("%s of an invalid signature is %q", name, got)
		}
	}
	f.Signature.Status = meetguard.SignatureUnknown
	if got := fs.launch(&f).value(fs.id("SignatureStatus")).raw; got != nil {
		t.Errorf("an unknown signature has the status %q", got)
	}
}

func TestMetadata(t *testing.T) {
	text := "title: A  title\nname: MG-X\nid: 11111111-2222-3333-4444-555555555555\nlevel: high\ndescription: |\n  Some thing\n  happens.\nreferences: [https://a.invalid/1, b]\ntags: [attack.execution, attack.t1059.002]\ncustom:\n  family: A\nlogsource: {category: process_creation, product: macos}\ndetection:\n  s: {Image: /x}\n  condition: s\n"
	rs := mustLoad(t, text)
	got := rs.Match(meetguard.Facts{Process: &meetguard.Process{OS: "darwin", Exe: "x"}})
	if len(got) != 1 {
		t.Fatal(got)
	}
	want := map[string]string{"engine": "sigma", "title": "A title", "id": "MG-X", "severity": "high", "description": "Some thing happens.", "technique": "T1059.002", "family": "A", "reference": "https://a.invalid/1"}
	if fmt.Sprint(got[0].Meta) != fmt.Sprint(want) || got[0].Rule != "A title" {
		t.Errorf("%v, want %v", got[0], want)
	}
	if m := rs.Match(meetguard.Facts{Process: &meetguard.Process{OS: "linux", Exe: "x"}}); len(m) != 0 {
		t.Error("a rule for macOS matches a launch of Linux")
	}
	if m := rs.Match(meetguard.Facts{Path: "/x"}); len(m) != 0 {
		t.Error("a rule matches what is no launch")
	}
	for level, want := range map[string]string{"critical": "critical", "medium": "medium", "low": "low", "informational": "info"} {
		rs := mustLoad(t, strings.Replace(text, "high", level, 1))
		if got := rs.List()[0].Meta["severity"]; got != want {
			t.Errorf("level %s is severity %s, want %s", level, got, want)
		}
	}
}

// TestRefusals names what cannot be used, with its line.
func TestRefusals(t *testing.T) {
	head := "title: T\nid: x\nlogsource:\n  category: process_creation\n"
	for name, tc := range map[string]struct {
		text, want string
	}{
		"empty":            {"", "test.yml: it is empty"},
		"no YAML":          {"a: [", "test.yml:1: no YAML"},
		"no mapping":       {"- a\n", "test.yml:1: a rule is a mapping"},
		"no title":         {"id: x\nlogsource:\n  category: process_creation\n", "it has no title"},
		"other category":   {"title: T\nlogsource:\n  category: file_event\n", "test.yml:2: its category is \"file_event\""},
		"other product":    {"title: T\nlogsource:\n  category: process_creation\n  product: aws\n", "test.yml:4: its product is \"aws\""},
		"no detection":     {head, "it has no detection"},
		"no condition":     {head + "detection:\n  s:\n    Image: x\n", "test.yml:5: its detection has no condition"},
		"level":            {head + "level: loud\n", "test.yml:5: its level is \"loud\""},
		"modifier":         {head + "detection:\n  s:\n    Image|smells: x\n  condition: s\n", "test.yml:7: the modifier \"smells\" is not known"},
		"expand":           {head + "detection:\n  s:\n    Image|expand: '%x%'\n  condition: s\n", "test.yml:7: the modifier expand"},
		"look-around":      {head + "detection:\n  s:\n    Image|re: '(?!x)y'\n  condition: s\n", "test.yml:7: the regular expression cannot be used"},
		"unknown search":   {head + "detection:\n  s:\n    Image: x\n  condition: s and t\n", "test.yml:8: the condition speaks of t"},
		"unknown pattern":  {head + "detection:\n  s:\n    Image: x\n  condition: 1 of t*\n", "test.yml:8: the condition speaks of t*"},
		"two of":           {head + "detection:\n  s:\n    Image: x\n  condition: 2 of s*\n", "only 1, any and all are known"},
		"counting":         {head + "detection:\n  s:\n    Image: x\n  condition: s | count() > 5\n", "the condition counts events"},
		"timeframe":        {head + "detection:\n  s:\n    Image: x\n  timeframe: 5m\n  condition: s\n", "test.yml:8: it has a timeframe"},
		"open bracket":     {head + "detection:\n  s:\n    Image: x\n  condition: (s\n", "the condition ends too early"},
		"two words":        {head + "detection:\n  s:\n    Image: x\n  condition: s s\n", "where it should not be"},
		"twice a key":      {head + "detection:\n  s:\n    Image: x\n    Image: y\n  condition: s\n", "test.yml:8: the key Image stands there twice"},
		"only filters":     {head + "detection:\n  s:\n    Image: x\n  condition: not s\n", "it matches a launch of which nothing is known"},
		"contradiction":    {head + "detection:\n  s:\n    Image: x\n  condition: s and not s\n", "it matches no launch made of its own values"},
		"no network":       {head + "detection:\n  s:\n    Image|cidr: x\n  condition: s\n", "is no network"},
		"value is a map":   {head + "detection:\n  s:\n    Image:\n      a: b\n  condition: s\n", "test.yml:8: a value is text"},
		"empty list":       {head + "detection:\n  s:\n    Image: []\n  condition: s\n", "test.yml:7: Image has no value"},
		"correlation":      {"title: T\ncorrelation:\n  type: event_count\n", "test.yml:2: correlation documents are not supported"},
		"deep":             {head + "detection:\n  s:\n    Image: x\n  condition: " + strings.Repeat("(", 500) + "s" + strings.Repeat(")", 500) + "\n", "nested more than"},
		"alias bomb":       {head + "detection:\n  a:\n    Image: &a [" + strings.Repeat("x,", 1000) + "x]\n  b:\n" + strings.Repeat("    - Image: *a\n", 100) + "  condition: a\n", "it has more than 20000 values"},
		"too many dashes":  {head + "detection:\n  s:\n    Image|windash: '-a -b -c -d -e'\n  condition: s\n", "too many dashes"},
		"base64 of a star": {head + "detection:\n  s:\n    Image|base64: 'a*'\n  condition: s\n", "it has wildcards"},
	} {
		rs, problems := Load([]Source{{"test.yml", tc.text}})
		if len(problems) != 1 || !strings.Contains(problems[0].String(), tc.want) || len(rs.rules) != 0 {
			t.Errorf("%s: %v, want %q", name, problems, tc.want)
		}
	}
}

func TestTheSecondOfOneIDIsRefused(t *testing.T) {
	text := ruleWith("s:\n  Image: x\ncondition: s")
	rs, problems := Load([]Source{{"a.yml", text}, {"b.yml", text}})
	if len(rs.rules) != 1 || len(problems) != 1 || !strings.Contains(problems[0].String(), "b.yml:1: the id 11111111-2222-3333-4444-555555555555 is used already, in a.yml") {
		t.Errorf("%d rules, %v", len(rs.rules), problems)
	}
}

func TestABrokenFileCostsItsOwnRulesOnly(t *testing.T) {
	rs, problems := Load([]Source{{"a.yml", "{"}, {"b.yml", ruleWith("s:\n  Image: x\ncondition: s")}, {"c.yml", strings.Repeat("#", maxFile+1)}})
	if len(rs.rules) != 1 || len(problems) != 2 {
		t.Errorf("%d rules, %v", len(rs.rules), problems)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(ruleWith("s:\n  Image|endswith: '\\x.exe'\n  CommandLine|contains|all: [' -a', 'b*c?']\nf:\n  - key\n  - User: null\ncondition: s and not 1 of f*"))
	f.Add(ruleWith("s:\n  CommandLine|re|i: '^(a|b{3})+$'\n  Image|windash|contains: ' /x'\n  User|fieldref: Image\ncondition: all of them"))
	f.Add(ruleWith("s: &a\n  Image|base64offset|contains: abc\nt: *a\ncondition: s or (t and s)"))
	f.Fuzz(func(t *testing.T, text string) {
		rs, problems := Load([]Source{{"fuzz.yml", text}})
		if len(rs.rules) == 0 && len(problems) == 0 {
			t.Fatal("neither a rule nor a problem")
		}
		rs.Match(windows(`C:\x.exe`, text))
		rs.List()
	})
}
