package installer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What the units may score: the agent's alone and once it is enrolled, the
// collector's. Lower is better; a bare unit has 9.6.
const (
	mostExposed          = 1.8
	mostExposedEnrolled  = 1.9
	mostExposedCollector = 1.2
)

var reExposure = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

// TestExposure scores the units as systemd does.
func TestExposure(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systemd-analyze is there on Linux only")
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Fatal("THE UNITS WERE NOT SCORED: systemd-analyze is missing; scripts/deps.sh test installs the package systemd")
	}
	collector, err := os.ReadFile("collector/meetguard-collector.service")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		unit string
		most float64
	}{
		"alone":     {Unit, mostExposed},
		"enrolled":  {strings.Replace(Unit, "IPAddressAllow=localhost", "IPAddressAllow=any", 1), mostExposedEnrolled},
		"collector": {string(collector), mostExposedCollector},
	} {
		t.Run(name, func(t *testing.T) {
			got := exposure(t, tc.unit)
			t.Logf("exposure %.1f, bar %.1f", got, tc.most)
			if got > tc.most {
				t.Errorf("exposure %.1f: the bar is %.1f", got, tc.most)
			}
		})
	}
	if got := exposure(t, strings.Replace(Unit, "User=meetguard\n", "", 1)); got <= mostExposed {
		t.Errorf("as root %.1f: the score tells nothing", got)
	}
}

func exposure(t *testing.T, unit string) float64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "meetguard.service")
	if err := os.WriteFile(path, []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", path).CombinedOutput()
	m := reExposure.FindSubmatch(out)
	if m == nil {
		t.Fatalf("no score: %v\n%s", err, out)
	}
	score, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return score
}

// TestUnit holds what is easily lost and no score shows.
func TestUnit(t *testing.T) {
	lines := strings.Split(Unit, "\n")
	for _, want := range []string{"Type=notify", "Restart=always", "WatchdogSec=12min", "ExecStart=" + Program + " run --service", "IOSchedulingClass=idle",
		"StateDirectoryMode=0700", "NoNewPrivileges=yes", "ProtectSystem=strict", "WantedBy=multi-user.target"} {
		if !slices.Contains(lines, want) {
			t.Errorf("the unit lacks %s", want)
		}
	}
	if strings.ContainsAny(Unit, "{}%") {
		t.Error("the unit holds marks of templates or specifiers")
	}
}

// TestPlist reads the property list as launchd would, as far as it goes: well
// formed, keys and values in turn, the program by its whole path.
func TestPlist(t *testing.T) {
	got := map[string]string{}
	var key string
	d := xml.NewDecoder(strings.NewReader(Plist))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local == "plist" || start.Name.Local == "dict" {
			continue
		}
		value := inner(t, d, start)
		if start.Name.Local == "key" {
			key = value
		} else {
			got[key] += start.Name.Local + " " + value
		}
	}
	for key, want := range map[string]string{"Label": "string com.meetguard.agent", "KeepAlive": "true ", "RunAtLoad": "true ",
		"ProgramArguments": "array " + ProgramMac + " run --service", "Umask": "integer 63"} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

// inner is the text of an element, words joined by blanks.
func inner(t *testing.T, d *xml.Decoder, start xml.StartElement) string {
	t.Helper()
	var text bytes.Buffer
	for depth := 1; depth > 0; {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%s: %v", start.Name.Local, err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			text.WriteByte(' ')
			text.Write(v)
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}
