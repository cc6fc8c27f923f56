package alert

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"meetguard"
)

// childEnv makes the test binary append to the log in the folder it names, until
// it is killed. See TestKilledWriterLosesNothing.
const childEnv = "MEETGUARD_ALERT_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		appendForEver(dir, os.Getenv(childEnv+"_ROUND"))
	}
	goleak.VerifyTestMain(m)
}

var (
	testHost    = meetguard.Host{Name: "lt-0042", UID: "5b2f7c0e-0000-4000-8000-000000000001", OS: "windows"}
	testProduct = Product{Version: "0.1.0", RulesVersion: "2026.11.22"}
	testTime    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

// fileAlert is a fake installer that landed in a folder.
func fileAlert(name string) meetguard.Alert {
	path := `C:\Users\ana\Downloads\` + name
	return meetguard.Alert{
		Time:  testTime,
		Event: meetguard.Event{Time: testTime, Kind: meetguard.FileLanded, Path: path, Source: "fsnotify"},
		Facts: meetguard.Facts{
			Path: path, Size: 1843200, SHA256: strings.Repeat("9f", 32), Format: meetguard.FormatPE,
			Claims:    []meetguard.Claim{{Text: "Zoom Video Communications, Inc.", Source: meetguard.ClaimCompanyName}},
			Signature: meetguard.Signature{Status: meetguard.SignatureUnsigned},
			Origin:    meetguard.Origin{Host: "zoom-meeting.invalid", ReferrerHost: "mail.invalid", Zone: "3"},
			Matches:   []meetguard.Match{{Rule: "MG_FakeZoom"}},
		},
		Verdict: meetguard.Verdict{
			Level: meetguard.Malicious, Brand: "zoom", Score: 88,
			Findings: []meetguard.Finding{
				{Rule: "origin.lookalike", Evidence: "It was downloaded from zoom-meeting.invalid, which is not Zoom's.", Technique: "T1583.001", Weight: 30},
				{Rule: "brand.unsigned", Evidence: "It calls itself Zoom and is not signed.", Technique: "T1036.001", Weight: 60},
			},
		},
	}
}

// numbered is the n-th of many different records.
func numbered(n int) Record {
	return NewRecord(testHost, testProduct, fileAlert(fmt.Sprintf("ZoomInstaller-%d.exe", n)))
}

// leveled is numbered with another level.
func leveled(n int, level meetguard.Level) Record {
	a := fileAlert(fmt.Sprintf("ZoomInstaller-%d.exe", n))
	a.Verdict.Level = level
	return NewRecord(testHost, testProduct, a)
}

func openTest(t *testing.T, dir string, opts Options) *Log {
	t.Helper()
	l, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func mustAppend(t *testing.T, l *Log, records ...Record) {
	t.Helper()
	for _, r := range records {
		if ok, err := l.Append(r); err != nil || !ok {
			t.Fatalf("Append = %v, %v", ok, err)
		}
	}
}

func readAll(t *testing.T, dir string, f Filter) []Entry {
	t.Helper()
	var out []Entry
	for e, err := range Read(dir, f) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// balance checks the accounting identity.
func balance(t *testing.T, l *Log) Counters {
	t.Helper()
	c := l.Counters()
	sum := c.Acked + c.Pending
	for _, n := range c.Dropped {
		sum += n
	}
	if sum != c.Created {
		t.Errorf("the accounts do not balance: %+v", c)
	}
	return c
}
