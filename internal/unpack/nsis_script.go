package unpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf16"
)

// Instructions of NSIS 2.x and 3.x, by their number in exehead/fileform.h
// (EW_…), held against installers made by makensis 3.08 in the tests.
const (
	nsisCreateDir   = 11
	nsisExtractFile = 20
	nsisPush        = 31
	nsisShellExec   = 40
	nsisExecute     = 41
	nsisCallPlugin  = 44
	nsisWriteReg    = 51
	nsisOpenFile    = 55
	nsisWriteFile   = 56

	nsisEntrySize = 28      // a number and six parameters
	nsisBlocks    = 8       // of the header, each with offset and count
	maxNSISText   = 1 << 20 // bytes of commands, and of what is written to files
	maxNSISString = 16 << 10
)

// nsisScript is what the instructions of an installer say.
type nsisScript struct {
	commands strings.Builder // what is run, one command a line
	written  []*nsisText     // what is written to files
	files    []nsisFile      // what is extracted

	strings []byte
	wide    bool // UTF-16
	folder  string
	pushed  []string
	room    int // bytes of text that may still be kept
}

type nsisFile struct {
	name string
	at   uint32 // from the end of the header
}

type nsisText struct {
	name string
	text strings.Builder
}

// readNSISScript reads the instructions. A header is flags, then offset and
// count of pages, sections, instructions, strings and others. In the stub for 64
// bits the offsets take eight bytes.
func readNSISScript(header []byte) (*nsisScript, error) {
	le := binary.LittleEndian
	if len(header) < 4+12*nsisBlocks {
		return nil, errors.New("the instructions of this NSIS installer are cut short")
	}
	width := 8
	if le.Uint32(header[20:]) == 0 { // where the instructions are, or the upper half of another offset
		width = 12
	}
	block := func(n int) (uint64, uint64) {
		b := header[4+width*n:]
		return uint64(le.Uint32(b)), uint64(le.Uint32(b[width-4:]))
	}
	at, count := block(2)
	texts, _ := block(3)
	if size := uint64(len(header)); at > size || count > (size-at)/nsisEntrySize || texts > size {
		return nil, errors.New("the instructions of this NSIS installer are broken")
	}
	s := &nsisScript{strings: header[texts:], room: maxNSISText}
	s.wide = len(s.strings) > 1 && s.strings[0] == 0 && s.strings[1] == 0 // the first string is empty
	for i := range count {
		var e [7]uint32
		for k := range e {
			e[k] = le.Uint32(header[at+i*nsisEntrySize+4*uint64(k):])
		}
		s.run(e[0], e[1:])
	}
	return s, nil
}

// run notes what one instruction does.
func (s *nsisScript) run(number uint32, e []uint32) {
	switch number {
	case nsisCreateDir:
		if e[1] != 0 { // SetOutPath
			s.folder = s.text(e[0])
		}
	case nsisExtractFile:
		s.files = append(s.files, nsisFile{s.fileName(s.text(e[1])), e[2]})
	case nsisPush:
		if e[1] == 0 && e[2] == 0 && len(s.pushed) < 64 {
			s.pushed = append(s.pushed, s.text(e[0]))
		}
		return
	case nsisCallPlugin:
		s.plugin(s.text(e[0]), s.text(e[1]))
	case nsisExecute:
		s.command(s.text(e[0]))
	case nsisShellExec:
		s.command(fmt.Sprintf(`start "" "%s" %s`, s.text(e[1]), s.text(e[2])))
	case nsisWriteReg:
		if key := s.text(e[1]); strings.Contains(strings.ToLower(key), `\currentversion\run`) {
			s.command(fmt.Sprintf(`reg add "%s\%s" /v "%s" /d "%s"`, nsisRoot(e[0]), key, s.text(e[2]), s.text(e[3])))
		}
	case nsisOpenFile:
		s.written = append(s.written, &nsisText{name: s.fileName(s.text(e[3]))})
	case nsisWriteFile:
		if n := len(s.written); n > 0 {
			s.keep(&s.written[n-1].text, s.text(e[1]))
		}
	}
	if number != nsisExtractFile && number != nsisCreateDir { // extracting the plug-in comes between
		s.pushed = s.pushed[:0]
	}
}

// keep adds text while there is room.
func (s *nsisScript) keep(to *strings.Builder, text string) {
	if s.room -= len(text); s.room >= 0 {
		to.WriteString(text)
	}
}

func (s *nsisScript) command(line string) { s.keep(&s.commands, line+"\n") }

// plugin notes the call of a plug-in. Its arguments were pushed, the last one
// first. Those that run programs are noted as what they run.
func (s *nsisScript) plugin(library, function string) {
	library = strings.TrimSuffix(path.Base(strings.ReplaceAll(library, `\`, "/")), ".dll")
	var arguments []string
	for _, p := range s.pushed {
		if !strings.HasPrefix(p, "/TIMEOUT=") && p != "/OEM" {
			arguments = append([]string{p}, arguments...)
		}
	}
	line := strings.Join(arguments, " ")
	if line == "" {
		return
	}
	if lower := strings.ToLower(library); lower != "nsexec" && lower != "execdos" && lower != "execcmd" {
		line = library + "::" + function + " " + line
	}
	s.command(line)
}

// fileName puts a name into the folder that files go to.
func (s *nsisScript) fileName(name string) string {
	if !strings.HasPrefix(name, "$") && !strings.HasPrefix(name, "%") && !strings.Contains(name, `:\`) {
		name = s.folder + `\` + name
	}
	return strings.ReplaceAll(name, `\`, "/")
}

// nsisRoot names a root of the registry (winreg.h).
func nsisRoot(n uint32) string {
	switch n {
	case 0x80000001:
		return "HKCU"
	case 0x80000002:
		return "HKLM"
	}
	return "HKEY"
}

// text decodes the string at an offset, which counts characters. Characters
// with a special meaning stand for variables, folders and texts of a language.
func (s *nsisScript) text(at uint32) string {
	units := s.units(at)
	var out strings.Builder
	var plain []uint16
	flush := func() { out.WriteString(string(utf16.Decode(plain))); plain = plain[:0] }
	for i := 0; i < len(units); i++ {
		code := s.code(units[i])
		operands := 1
		if !s.wide && code != 0 && code != nsisSkip {
			operands = 2
		}
		if code == 0 || i+operands >= len(units) {
			plain = append(plain, units[i])
			continue
		}
		operand := units[i+1]
		if operands == 2 {
			operand |= units[i+2] << 8
		}
		i += operands
		if code == nsisSkip {
			plain = append(plain, operand)
			continue
		}
		flush()
		out.WriteString(nsisSpecial(code, operand))
	}
	flush()
	return out.String()
}

// units are the characters of a string.
func (s *nsisScript) units(at uint32) []uint16 {
	width := uint64(1)
	if s.wide {
		width = 2
	}
	var units []uint16
	for i := uint64(at) * width; i+width <= uint64(len(s.strings)) && len(units) < maxNSISString; i += width {
		unit := uint16(s.strings[i])
		if s.wide {
			unit |= uint16(s.strings[i+1]) << 8
		}
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return units
}

// Special characters, in NSIS 3 by their own number.
const (
	nsisLanguage = 1
	nsisShell    = 2
	nsisVariable = 3
	nsisSkip     = 4
)

// code is the special character that a unit is, or zero. NSIS 2 has them at the
// end of its 8-bit characters, its Unicode version in the private use area.
func (s *nsisScript) code(unit uint16) uint16 {
	switch {
	case unit <= nsisSkip:
		return unit
	case s.wide && 0xe000 <= unit && unit <= 0xe003:
		return [...]uint16{nsisSkip, nsisVariable, nsisShell, nsisLanguage}[unit-0xe000]
	case !s.wide && 252 <= unit && unit <= 255:
		return [...]uint16{nsisSkip, nsisVariable, nsisShell, nsisLanguage}[unit-252]
	}
	return 0
}

// nsisSpecial is what a special character stands for. Folders that only the
// machine knows are named by the variable of the environment.
func nsisSpecial(code, operand uint16) string {
	number := int(operand&0x7f | operand>>8&0x7f<<7)
	switch code {
	case nsisVariable:
		return nsisVariableName(number)
	case nsisShell:
		return nsisShellFolder(byte(operand))
	}
	return fmt.Sprintf("$(%d)", number)
}

func nsisVariableName(n int) string {
	names := [...]string{"$CMDLINE", "$INSTDIR", "$OUTDIR", "$EXEDIR", "$LANGUAGE", "%TEMP%", "$PLUGINSDIR", "$EXEPATH", "$EXEFILE", "$HWNDPARENT"}
	switch {
	case n < 10:
		return fmt.Sprintf("$%d", n)
	case n < 20:
		return fmt.Sprintf("$R%d", n-10)
	case n < 20+len(names):
		return names[n-20] // #nosec G602 -- n is at least 20 here
	}
	return fmt.Sprintf("$_%d_", n)
}

// nsisShellFolder names a folder by its CSIDL (shlobj.h). The upper bit says
// that it is a value of the registry, of which NSIS uses two.
func nsisShellFolder(id byte) string {
	switch id {
	case 0x00, 0x10, 0x19:
		return `%USERPROFILE%\Desktop`
	case 0x02, 0x17:
		return `%APPDATA%\Microsoft\Windows\Start Menu\Programs`
	case 0x05:
		return `%USERPROFILE%\Documents`
	case 0x07, 0x18:
		return `%APPDATA%\Microsoft\Windows\Start Menu\Programs\Startup`
	case 0x1a:
		return "%APPDATA%"
	case 0x1c:
		return "%LOCALAPPDATA%"
	case 0x23:
		return "%ProgramData%"
	case 0x24:
		return "%SystemRoot%"
	case 0x25, 0x29:
		return `%SystemRoot%\System32`
	case 0x26, 0x2a:
		return "%ProgramFiles%"
	case 0x28:
		return "%USERPROFILE%"
	}
	if id&0x80 != 0 {
		return "%ProgramFiles%"
	}
	return fmt.Sprintf("$SHELL%d", id)
}
