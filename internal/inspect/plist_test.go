package inspect

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"howett.net/plist"
)

func TestPlistClaims(t *testing.T) {
	type info struct {
		ID      string         `plist:"CFBundleIdentifier"`
		Name    string         `plist:"CFBundleName"`
		Show    string         `plist:"CFBundleDisplayName"`
		Program string         `plist:"CFBundleExecutable"`
		Types   map[string]any `plist:"CFBundleDocumentTypes"`
		Count   int            `plist:"NSCount"`
	}
	value := info{"us.zoom.xos", "Zoom", "Zoom Встреча 会议", "zoom.us",
		map[string]any{"CFBundleName": "inner", "list": []string{"a", "b"}}, 7}
	want := []string{"Info.plist CFBundleDisplayName: Zoom Встреча 会议", "Info.plist CFBundleIdentifier: us.zoom.xos", "Info.plist CFBundleName: Zoom"}
	xml := encodePlist(t, value, plist.XMLFormat)
	for name, data := range map[string][]byte{
		"XML":           xml,
		"XML in UTF-16": utf16File(binary.LittleEndian, string(xml)),
		"binary":        encodePlist(t, value, plist.BinaryFormat),
	} {
		t.Run(name, func(t *testing.T) {
			claims, gaps := PlistClaims(data)
			got := claimLines(claims)
			slices.Sort(got)
			if !slices.Equal(got, want) || len(gaps) > 0 {
				t.Errorf("claims %q, want %q; gaps %v", got, want, gaps)
			}
			if got := PlistExecutable(data); got != "zoom.us" {
				t.Errorf("executable %q", got)
			}
		})
	}
}

func TestPlistOddities(t *testing.T) {
	for _, c := range []struct {
		test, data string
		want       []string
		reason     string
	}{
		{"key twice", "<plist><dict><key>CFBundleName</key><string>Notes</string><key>CFBundleName</key><string>Zoom</string></dict></plist>",
			[]string{"Info.plist CFBundleName: Notes", "Info.plist CFBundleName: Zoom"}, ""},
		{"string without a key", "<plist><dict><key>CFBundleName</key><true/><string>Zoom</string></dict></plist>", nil, ""},
		{"entity", "<!DOCTYPE x [<!ENTITY z SYSTEM 'file:///etc/passwd'>]><plist><dict><key>CFBundleName</key><string>Z&#111;om &amp; &z;</string></dict></plist>",
			[]string{"Info.plist CFBundleName: Zoom & &z;"}, ""},
		{"cut short", "<plist><dict><key>CFBundleName</key><string>Zoom</string><key>", []string{"Info.plist CFBundleName: Zoom"}, "malformed"},
		{"OpenStep", "{ CFBundleName = Zoom; }", nil, "neither"},
		{"other XML", "<html></html>", nil, "neither"},
		{"empty", "", nil, "neither"},
		{"crossed", "<plist><dict></plist></dict>", nil, "not closed in order"},
		{"deep", strings.Repeat("<array>", 100), nil, "nested too deeply"},
		{"wide", "<plist>" + strings.Repeat("<a/>", maxTokens), nil, "too many elements"},
		{"large", "<plist>" + strings.Repeat(" ", maxXML), nil, "too large"},
		{"binary cut short", "bplist00", nil, "malformed"},
		{"binary of zeros", "bplist00" + strings.Repeat("\x00", 100), nil, "no dictionary"},
		{"binary string at the top", "bplist00\x54Zoom\x08" + strings.Repeat("\x00", 6) + "\x01\x01" + u64(1) + u64(0) + u64(13), nil, "no dictionary"},
	} {
		t.Run(c.test, func(t *testing.T) {
			claims, gaps := PlistClaims([]byte(c.data))
			if got := claimLines(claims); !slices.Equal(got, c.want) {
				t.Errorf("claims %q, want %q", got, c.want)
			}
			if c.reason != "" {
				wantGap(t, gaps, c.reason)
			} else if len(gaps) > 0 {
				t.Errorf("gaps %v", gaps)
			}
		})
	}
}

// TestPlistBomb reads an array that is named by every object and itself holds
// all of them: a decoder that unfolds it needs terabytes.
func TestPlistBomb(t *testing.T) {
	const objects = 100_000
	b := []byte("bplist00")
	dict := len(b)
	b = append(b, 0xd1, 0, 0, 2, 0, 0, 1) // {object 2: object 1}
	list := len(b)
	b = append(b, 0xaf, 0x12)
	b = binary.BigEndian.AppendUint32(b, objects)
	for range objects {
		b = append(b, 0, 0, 1)
	}
	key := len(b)
	b = append(b, "\x5cCFBundleName"...)
	table := len(b)
	for i := range objects {
		at := list
		switch i {
		case 0:
			at = dict
		case 2:
			at = key
		}
		b = append(b, byte(at>>16), byte(at>>8), byte(at))
	}
	b = append(b, 0, 0, 0, 0, 0, 0, 3, 3)
	b = append(b, u64(objects)+u64(0)+u64(uint64(table))...)
	got := allocated(func() {
		if claims, gaps := PlistClaims(b); len(claims) > 0 || len(gaps) > 0 {
			t.Errorf("claims %v, gaps %v", claims, gaps)
		}
	})
	if got > 1<<20 {
		t.Errorf("allocates %d bytes", got)
	}
}

// TestPlistDamage changes every byte of a binary list. What comes out must be
// the name, a part of it, or a gap or nothing; above all it has to come out.
func TestPlistDamage(t *testing.T) {
	good := encodePlist(t, map[string]string{"CFBundleName": "Zoom"}, plist.BinaryFormat)
	outcomes := map[string]int{}
	for i := range good {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := slices.Clone(good)
			bad[i] ^= flip
			claims, gaps := PlistClaims(bad)
			outcomes[fmt.Sprint(len(claims), len(gaps))]++
		}
	}
	if outcomes["0 1"] == 0 || outcomes["1 0"] == 0 || outcomes["0 0"] == 0 {
		t.Errorf("outcomes (claims, gaps): %v", outcomes)
	}
}

func u64(n uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, n))
}
