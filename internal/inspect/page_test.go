package inspect

import (
	"slices"
	"strings"
	"testing"
)

func TestPageHosts(t *testing.T) {
	for page, want := range map[string][]string{
		`<a href="https://us05web-zoom.biz/j/1">Join</a>`:                                             {"us05web-zoom.biz"},
		"<A\nclass=x\n HREF='HTTPS://Zoom-Call.invalid/?a=1&amp;b=2'>":                                {"zoom-call.invalid"},
		`<form action=//teams-live.invalid/login>`:                                                    {"teams-live.invalid"},
		`<meta http-equiv="refresh" content="0; url=https://join-webex.invalid/">`:                    {"join-webex.invalid"},
		`<iframe src="http://a.invalid/"></iframe><a href="http://a.invalid/2">`:                      {"a.invalid"},
		`<p>The lure was at https://us05web-zoom.biz/j/1 until May.</p><img src="https://b.invalid">`: nil,
		`<a href="/local"><a href="mailto:x@y.invalid"><a href="#top"><a>`:                            nil,
		`<meta name="description" content="see https://c.invalid">`:                                   nil,
		`<a href="https://d.invalid/`:                                                                 nil,
	} {
		if got := PageHosts([]byte(page)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", page, got, want)
		}
	}
	if got := PageHosts([]byte(strings.Repeat(`<a href="https://x.invalid/">`, 1e6))); len(got) != 1 {
		t.Errorf("%d hosts", len(got))
	}
}

func FuzzPageHosts(f *testing.F) {
	f.Add([]byte(`<meta http-equiv=refresh content="0;url=//a.invalid"><a href='https://b.invalid'>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := PageHosts(data); len(got) > maxHosts {
			t.Errorf("%d hosts", len(got))
		}
	})
}
