package unpack

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// makeMail writes a mail of parts, each with its own header.
func makeMail(parts ...string) []byte {
	mark := fmt.Sprintf("q%d", len(strings.Join(parts, ""))) // mails inside one another need marks of their own
	return []byte("From: a@b.invalid\r\nTo: c@d.invalid\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"" + mark + "\"\r\n\r\n--" + mark + "\r\n" + strings.Join(parts, "\r\n--"+mark+"\r\n") + "\r\n--" + mark + "--\r\n")
}

func mailBudget() Options {
	return Options{Budget: &Budget{Entries: 100, Bytes: 1 << 20, Packed: 1 << 20, Ratio: 100, Free: 1 << 20, Now: time.Now}}
}

func TestWalkMail(t *testing.T) {
	attached := func(name, body string) string {
		return "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"" + name + "\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(body))
	}
	data := makeMail("Content-Type: text/plain\r\n\r\nhello",
		"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<a href=3D\"https://a.invalid\">x</a>",
		attached("../../Zoom.exe", "MZ program"), attached("=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte("Übung.zip"))+"?=", "PK"),
		"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR",
		"Content-Type: message/rfc822\r\n\r\n"+string(makeMail(attached("inner.js", "WScript"))),
		"Content-Type: application/pdf; name*=utf-8''a%20b.pdf\r\n\r\n%PDF")
	want := []struct{ name, body string }{{"body-2.html", `<a href="https://a.invalid">x</a>`}, {"Zoom.exe", "MZ program"}, {"Übung.zip", "PK"}, {"invitation-5.ics", "BEGIN:VCALENDAR"}, {"inner.js", "WScript"}, {"a b.pdf", "%PDF"}}
	n := 0
	err := WalkMail(data, mailBudget(), func(m Member) error {
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if n >= len(want) || m.Name != want[n].name || string(body) != want[n].body || m.Role != RoleAttach {
			t.Errorf("member %d: %q %q %q", n, m.Name, body, m.Role)
		}
		n++
		return nil
	})
	if err != nil || n != len(want) {
		t.Errorf("%d members, %v", n, err)
	}
}

func TestMailLimits(t *testing.T) {
	none := func(Member) error { return nil }
	var limit *LimitError
	deep := []byte("x")
	for range 20 {
		deep = makeMail("Content-Type: message/rfc822\r\n\r\n" + string(deep))
	}
	if err := WalkMail(deep, mailBudget(), none); !errors.As(err, &limit) {
		t.Errorf("nested mails: %v", err)
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = "Content-Type: image/png\r\n\r\nx"
	}
	if err := WalkMail(makeMail(many...), mailBudget(), none); !errors.As(err, &limit) {
		t.Errorf("many parts: %v", err)
	}
	if err := WalkMail(makeMail("Content-Type: image/png\r\n\r\n"+strings.Repeat("x", 2<<20)), mailBudget(), none); !errors.As(err, &limit) {
		t.Errorf("a large part: %v", err)
	}
	if err := WalkMail([]byte("hello\n"), mailBudget(), none); err == nil {
		t.Error("a text without header is no mail")
	}
	whole := makeMail("Content-Type: text/html\r\n\r\n<p>", "Content-Type: image/png\r\n\r\nx")
	for n := range whole {
		WalkMail(whole[:n], mailBudget(), none) // must end, with an error or without
	}
}

func FuzzWalkMail(f *testing.F) {
	f.Add(makeMail("Content-Type: text/html\r\n\r\n<p>", "Content-Type: message/rfc822\r\n\r\n"+string(makeMail("Content-Type: image/png\r\n\r\nx"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		WalkMail(data, mailBudget(), func(m Member) error {
			if m.Name == "" || strings.Contains(m.Name, "/") {
				t.Fatalf("name %q", m.Name)
			}
			r, err := m.Open()
			if err != nil {
				return err
			}
			io.Copy(io.Discard, r) // broken content is an error of its own
			return nil
		})
	})
}
