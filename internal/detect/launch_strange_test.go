package detect

import (
	"testing"

	"meetguard"
)

func TestNamedFor(t *testing.T) {
	s := &subject{judge: New([]meetguard.Brand{{ID: "zoom", Name: "Zoom", Aliases: []string{"zoom"}}})}
	for host, want := range map[string]bool{
		"camera-fix.invalid":          true,
		"get.meetinghub.invalid":      true,
		"zoom.files.invalid":          true,
		"audio.fix.files.invalid":     true, // twice below the name
		"onboarding.nordkai.invalid":  false,
		"drivers.printstar.invalid":   false,
		"patch.emberforge.invalid":    false,
		"dl.lumenctl.invalid":         false,
		"rpm-meetsuite.invalid":       true,
		"support.degroot-ict.invalid": false,
	} {
		if got := s.namedFor(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

func TestNamesake(t *testing.T) {
	s := &subject{judge: New(nil)}
	for _, tc := range []struct {
		host, name string
		want       bool
	}{
		{"update.taxor.invalid", `C:\Users\ana\AppData\Local\Taxor\upd.exe`, true},
		{"start.oakhurst-college.invalid", "com.oakhurst.print.plist", true},
		{"files.invalid", "zoom-helper", false},
		{"camera-fix.invalid", "camera-fix.exe", false}, // lures have namesakes too
		{"", "x", false},
	} {
		if got := s.namesake(tc.host, tc.name); got != tc.want {
			t.Errorf("%s, %s: %v", tc.host, tc.name, got)
		}
	}
}

func TestOneHouse(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"dl.taxor.invalid", "update.taxor.invalid", true},
		{"a.co.uk", "b.co.uk", false},
		{"taxor.invalid", "other.invalid", false},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "192.0.2.1", true},
	} {
		if got := oneHouse(tc.a, tc.b); got != tc.want {
			t.Errorf("%s, %s: %v", tc.a, tc.b, got)
		}
	}
}
