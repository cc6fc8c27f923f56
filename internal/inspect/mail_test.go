package inspect

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

const mailTop = "Return-Path: <a@b.invalid>\r\nReceived: from b.invalid\r\nMessage-ID: <1@b.invalid>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nFrom: =?utf-8?Q?Zoom_Support?= <a@b.invalid>\r\nTo: c@d.invalid\r\nSubject: =?utf-8?B?" + "Wm9vbSBtZWV0aW5n" + "?=\r\n"

func mixed(parts ...string) string {
	return mailTop + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"q\"\r\n\r\n--q\r\n" + strings.Join(parts, "\r\n--q\r\n") + "\r\n--q--\r\n"
}

func TestIsMail(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"a.eml", mailTop + "\r\nhello", true},
		{"a.emlx", "412\n" + mailTop + "\r\nhello", true},
		{"inbox", "From a@b.invalid Mon Nov  2 10:00:00 2026\n" + mailTop + "\r\nhello", true},
		{"a.eml", "From: a@b.invalid\nSubject: x\n\nhello", true},
		{"a.txt", "From: a@b.invalid\nSubject: x\n\nhello", false},
		{"0001-fix.patch", "From 0123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@b.invalid>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: [PATCH] fix\n\n---\n", false},
		{"page.mht", "From: <Saved by Blink>\r\nSubject: a\r\nDate: Mon, 2 Nov 2026 10:00:00 -0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n", false},
		{"control", "Package: x\nVersion: 1\nFrom: y\n", false},
		{"a.go", "package a\n", false},
		{"empty", "", false},
	} {
		if got := IsMail(c.name, []byte(c.text)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestReadMail(t *testing.T) {
	calendar := "BEGIN:VCALENDAR\r\nLOCATION:us05web-zoom.invalid/j/1\r\nEND:VCALENDAR\r\n"
	for _, c := range []struct{ name, text, hosts, misled string }{
		{"text", mailTop + "\r\nJoin: https://zoom.a.invalid/j/1?pwd=x\r\n", "zoom.a.invalid", ""},
		{"page", mailTop + "Content-Type: text/html\r\n\r\n<a href=\"https://b.invalid/j\">Join</a> https://report.invalid", "b.invalid", ""},
		{"quoted", mailTop + "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<a href=3D\"https://b.inva=\r\nlid/j\">Join</a>", "b.invalid", ""},
		{"base64", mixed("Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("<a href='https://b.invalid/j'>https://zoom.us/j/1</a>"))), "b.invalid", "b.invalid"},
		{"own subdomain", mailTop + "Content-Type: text/html\r\n\r\n<a href=\"https://links.b.invalid/j\"><b>www.links.b.invalid</b></a>", "links.b.invalid", ""},
		{"invitation", mixed("Content-Type: text/plain\r\n\r\nhello", "Content-Type: text/calendar; method=REQUEST\r\n\r\n"+calendar), "us05web-zoom.invalid", ""},
		{"mail in a mail", mixed("Content-Type: message/rfc822\r\n\r\n" + mailTop + "\r\nhttps://inner.invalid/"), "inner.invalid", ""},
		{"attachment only", mixed("Content-Type: application/zip\r\nContent-Disposition: attachment; filename=a.zip\r\n\r\nPK"), "", ""},
	} {
		m := ReadMail([]byte(c.text))
		if strings.Join(m.Hosts, " ") != c.hosts || strings.Join(m.Misled, " ") != c.misled {
			t.Errorf("%s: hosts %v, misled %v", c.name, m.Hosts, m.Misled)
		}
		if len(m.Claims) != 2 || m.Claims[0].Text != "Zoom meeting" || m.Claims[1].Text != "Zoom Support" {
			t.Errorf("%s: claims %+v", c.name, m.Claims)
		}
		if m.Attaches != (c.name == "attachment only") {
			t.Errorf("%s: attaches %v", c.name, m.Attaches)
		}
	}
	deep := "x"
	for range 50 {
		deep = mixed("Content-Type: message/rfc822\r\n\r\n" + deep)
	}
	ReadMail([]byte(deep))
}

func FuzzReadMail(f *testing.F) {
	f.Add([]byte(mailTop + "\r\nhttps://a.invalid/"))
	f.Add([]byte(mixed("Content-Type: text/html\r\n\r\n<a href=\"https://b.invalid\">https://c.invalid</a>", "Content-Type: text/calendar\r\n\r\nLOCATION:a.b/c")))
	f.Fuzz(func(t *testing.T, data []byte) {
		IsMail("a.eml", data)
		m := ReadMail(data)
		if len(m.Hosts) > maxHosts || len(m.Misled) > maxHosts || slices.Contains(m.Hosts, "") {
			t.Fatalf("%+v", m)
		}
	})
}
