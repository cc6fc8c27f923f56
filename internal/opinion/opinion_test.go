package opinion

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"meetguard"
)

func TestCodesign(t *testing.T) {
	const app = "/Applications/zoom.us.app"
	for name, tc := range map[string]struct {
		text string
		exit int
		want meetguard.OSVerdict
	}{
		"valid": {app + ": valid on disk\n" + app + ": satisfies its Designated Requirement\n" + app + ": explicit requirement satisfied\n", 0,
			meetguard.OSVerdict{Trusted: true, Code: "valid"}},
		"unsigned": {app + ": code object is not signed at all\nIn architecture: x86_64\n", 1,
			meetguard.OSVerdict{Code: "unsigned", Detail: "code object is not signed at all"}},
		"ad hoc": {app + ": valid on disk\n" + app + ": satisfies its Designated Requirement\ntest-requirement: code failed to satisfy specified code requirement(s)\n", 3,
			meetguard.OSVerdict{Code: "not_apple", Detail: "test-requirement: code failed to satisfy specified code requirement(s)"}},
		"changed": {app + ": invalid signature (code or signature have been modified)\nIn architecture: arm64\n", 1,
			meetguard.OSVerdict{Code: "modified", Detail: "invalid signature (code or signature have been modified)"}},
		"resource": {app + ": a sealed resource is missing or invalid\nfile added: " + app + "/Contents/x\n", 1,
			meetguard.OSVerdict{Code: "modified", Detail: "a sealed resource is missing or invalid"}},
		"revoked": {app + ": CSSMERR_TP_CERT_REVOKED\nIn architecture: x86_64", 1,
			meetguard.OSVerdict{Code: "revoked", Detail: "CSSMERR_TP_CERT_REVOKED"}},
		"words that nobody knows": {app + ": something new in /private/var/x\n", 1,
			meetguard.OSVerdict{Code: "exit 1", Detail: "something new in"}},
		"nothing":    {"", 1, meetguard.OSVerdict{Code: "exit 1"}},
		"bad usage":  {"Usage: codesign -s identity\n", 2, meetguard.OSVerdict{Code: "exit 2", Detail: "Usage: codesign -s identity"}},
		"CRLF, tabs": {app + ": \tcode object is not signed at all\r\n", 1, meetguard.OSVerdict{Code: "unsigned", Detail: "code object is not signed at all"}},
	} {
		tc.want.Source = "codesign"
		if got := readCodesign(app, tc.text, tc.exit); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

// TestSpctl: the outputs are as they stand in public reports, with other paths.
func TestSpctl(t *testing.T) {
	const app = "/Volumes/Zoom/zoom.us.app"
	for name, tc := range map[string]struct {
		text string
		exit int
		want meetguard.OSVerdict
	}{
		"notarized": {app + ": accepted\nsource=Notarized Developer ID\norigin=Developer ID Application: Zoom Video Communications, Inc. (BJ4HAAB9B3)\n", 0,
			meetguard.OSVerdict{Trusted: true, Code: "Notarized Developer ID", Detail: "Developer ID Application: Zoom Video Communications, Inc. (BJ4HAAB9B3)"}},
		"not notarized": {app + ": rejected\nsource=Unnotarized Developer ID\norigin=Developer ID Application: Privacy Technologies OU (X7UJ388FXK)\n", 3,
			meetguard.OSVerdict{Code: "Unnotarized Developer ID", Detail: "Developer ID Application: Privacy Technologies OU (X7UJ388FXK)"}},
		"a tool": {app + ": rejected (the code is valid but does not seem to be an app)\norigin=Developer ID Application: Matthew Hartman (BBVMGXR9AY)\n", 3,
			meetguard.OSVerdict{Code: "rejected (the code is valid but does not seem to be an app)", Detail: "Developer ID Application: Matthew Hartman (BBVMGXR9AY)"}},
		"unsigned":             {app + ": rejected\nsource=no usable signature\n", 3, meetguard.OSVerdict{Code: "no usable signature"}},
		"good but not allowed": {app + ": rejected\nsource=Notarized Developer ID\n", 3, meetguard.OSVerdict{Code: "Notarized Developer ID"}},
		"Gatekeeper is off":    {app + ": accepted\nsource=no usable signature\noverride=security disabled\n", 0, meetguard.OSVerdict{Code: "no usable signature", Detail: "Gatekeeper does not judge: security disabled"}},
		"revoked":              {app + ": CSSMERR_TP_CERT_REVOKED\n", 1, meetguard.OSVerdict{Code: "exit 1", Detail: "CSSMERR_TP_CERT_REVOKED"}},
		"accepted, but failed": {app + ": accepted\n", 1, meetguard.OSVerdict{Code: "accepted"}},
		"nothing":              {"", 0, meetguard.OSVerdict{Code: "exit 0"}},
		"said twice":           {app + ": rejected\nsource=Unnotarized Developer ID\naccepted\nsource=Notarized Developer ID\n", 0, meetguard.OSVerdict{Code: "Unnotarized Developer ID"}},
	} {
		tc.want.Source = "spctl"
		if got := readSpctl(app, tc.text, tc.exit); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestCodesignArgs(t *testing.T) {
	args := codesignArgs("/Applications/zoom.us.app")
	if args[len(args)-1] != "/Applications/zoom.us.app" || args[len(args)-2] != "-R=anchor apple generic" {
		t.Errorf("%q: codesign would accept a signature that names nobody", args)
	}
}

func TestSpctlArgs(t *testing.T) {
	for format, want := range map[meetguard.Format]string{meetguard.FormatApp: "-t exec", meetguard.FormatMachO: "-t exec", meetguard.FormatPKG: "-t install", meetguard.FormatDMG: "-t open --context"} {
		if got := strings.Join(spctlArgs("/x", format), " "); !strings.Contains(got, want) {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestWintrust(t *testing.T) {
	for code, want := range map[uint32]meetguard.OSVerdict{
		0:          {Trusted: true, Code: "OK"},
		0x800b0100: {Code: "TRUST_E_NOSIGNATURE", Detail: "the file is not signed"},
		0x80096010: {Code: "TRUST_E_BAD_DIGEST", Detail: "the signature does not fit the content"},
		0x800b010c: {Code: "CERT_E_REVOKED", Detail: "the certificate was revoked"},
		0xdeadbeef: {Code: "0xDEADBEEF", Detail: "the system gave a result without a name here"},
	} {
		want.Source, want.Catalog = "wintrust", "nt5.cat"
		if got := wintrustVerdict(code, "nt5.cat"); got != want {
			t.Errorf("%x: %+v, want %+v", code, got, want)
		}
	}
	for code, w := range wintrustWords {
		if w.name == "" || strings.ToUpper(w.name) != w.name || (w.detail == "") != (code == 0) {
			t.Errorf("%x: %+v", code, w)
		}
		if unsignedItself(code) && code == 0x80096010 {
			t.Error("a catalog may clear a signature that does not fit")
		}
	}
	for code, want := range map[uint32]bool{0: true, 2: false, 5: false, 0x80070020: false, 0x80070057: false, 0x80092003: false, 0x80096001: false, 0x80096010: true, 0x800b0100: true, 0x80092026: true, 0xdeadbeef: false} {
		if learned(code) != want {
			t.Errorf("%x: learned %v", code, !want)
		}
	}
	if got := memberTag([]byte{0x0a, 0xff}); got != "0AFF" {
		t.Errorf("memberTag: %s", got)
	}
}

func TestAskRefusesOddPaths(t *testing.T) {
	a := New(Options{})
	a.ask = func(context.Context, string, meetguard.Format) ([]meetguard.OSVerdict, error) {
		t.Error("the system was asked")
		return nil, nil
	}
	dir := t.TempDir()
	for _, name := range []string{"relative.app", "-R=anchor apple", "", filepath.Join(dir, "a\nsource=Notarized Developer ID"), filepath.Join(dir, "a\u202egpj.app"), filepath.Join(dir, "a\xff.app")} {
		if v, err := a.Ask(t.Context(), name, meetguard.FormatApp); err == nil || v != nil {
			t.Errorf("%q: %+v, %v", name, v, err)
		}
	}
}

// TestHungSystem: one question may hang; no second one is asked meanwhile, and
// afterwards all is well.
func TestHungSystem(t *testing.T) {
	a := New(Options{})
	file := filepath.Join(t.TempDir(), "x.exe")
	release, begun := make(chan struct{}), make(chan struct{}, 8)
	var asked atomic.Int32
	a.ask = func(context.Context, string, meetguard.Format) ([]meetguard.OSVerdict, error) {
		asked.Add(1)
		begun <- struct{}{}
		<-release
		return []meetguard.OSVerdict{{Source: "wintrust"}}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := a.Ask(ctx, file, meetguard.FormatPE); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("a system that hangs: %v", err)
	}
	for range 3 {
		if _, err := a.Ask(ctx, file, meetguard.FormatPE); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("while it hangs: %v", err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the system was asked %d times while it hung", n)
	}
	close(release)
	if v, err := a.Ask(t.Context(), file, meetguard.FormatPE); err != nil || len(v) != 1 {
		t.Errorf("afterwards: %+v, %v", v, err)
	}
}

func FuzzApple(f *testing.F) {
	f.Add("/a", "/a: accepted\nsource=Notarized Developer ID\norigin=x\n", 0)
	f.Add("/a", "/a: rejected\noverride=security disabled\n", 3)
	f.Fuzz(func(t *testing.T, name, text string, exit int) {
		for _, v := range []meetguard.OSVerdict{readCodesign(name, text, exit), readSpctl(name, text, exit)} {
			if v.Trusted && exit != 0 {
				t.Errorf("trusted with exit %d", exit)
			}
			if s := v.Code + v.Detail; len([]rune(s)) > 400 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q", s)
			}
		}
	})
}
