package specimens

import (
	"encoding/binary"
	"fmt"
	"path"
	"sort"
	"strings"
)

// msiTable is a table of an installer database. A column is named with its type
// as Windows Installer's documentation writes it: s72 text, i2 number, v0
// stream; a capital letter allows nothing, a leading star marks the key.
type msiTable struct {
	name    string
	columns []string
	rows    [][]any // string or int
}

// msiPool numbers texts from one on.
type msiPool struct {
	at    map[string]int
	texts []string
	uses  []int
}

func (p *msiPool) add(s string) int {
	if s == "" {
		return 0
	}
	if p.at[s] == 0 {
		p.texts, p.uses = append(p.texts, s), append(p.uses, 0)
		p.at[s] = len(p.texts)
	}
	p.uses[p.at[s]-1]++
	return p.at[s]
}

func (p *msiPool) streams() []stream {
	pool, data := []byte{0xe9, 0xfd, 0, 0}, []byte{} // code page 65001
	for i, s := range p.texts {
		if len(s) > 0xffff {
			panic("a text of an installer is too long for this writer")
		}
		pool = binary.LittleEndian.AppendUint16(pool, uint16(len(s)))
		pool = binary.LittleEndian.AppendUint16(pool, uint16(p.uses[i]))
		data = append(data, s...)
	}
	return []stream{{msiName("_StringPool", true), pool}, {msiName("_StringData", true), data}}
}

const msiAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"

// msiName packs a name as the database does: two letters in one.
func msiName(name string, table bool) string {
	var b strings.Builder
	if table {
		b.WriteRune(0x4840)
	}
	for i := 0; i < len(name); i++ {
		first := strings.IndexByte(msiAlphabet, name[i])
		if first < 0 {
			b.WriteByte(name[i])
			continue
		}
		if i+1 < len(name) {
			if second := strings.IndexByte(msiAlphabet, name[i+1]); second >= 0 {
				b.WriteRune(rune(0x3800 + first + second<<6))
				i++
				continue
			}
		}
		b.WriteRune(rune(0x4800 + first))
	}
	return b.String()
}

// msiType is the number that stands for a column's type.
func msiType(column string) (name string, bits int) {
	name, kind, _ := strings.Cut(column, " ")
	if strings.HasPrefix(name, "*") {
		name, bits = name[1:], 0x2000
	}
	width := 0
	fmt.Sscanf(kind[1:], "%d", &width)
	if kind[0] < 'a' {
		bits |= 0x1000
	}
	switch kind[0] | 0x20 {
	case 's':
		bits |= 0x0d00 | width
	case 'l':
		bits |= 0x0f00 | width
	case 'v':
		bits |= 0x0900
	case 'i':
		bits |= map[int]int{2: 0x0502, 4: 0x0104}[width]
	}
	return name, bits
}

// stream writes the rows column by column, sorted by what their keys are.
func (t msiTable) stream(p *msiPool) stream {
	values := make([][]int, len(t.rows))
	for i, row := range t.rows {
		for _, v := range row {
			switch v := v.(type) {
			case string:
				values[i] = append(values[i], p.add(v))
			case int:
				values[i] = append(values[i], v)
			}
		}
	}
	sort.SliceStable(values, func(i, j int) bool { return values[i][0] < values[j][0] })
	var b []byte
	for c, column := range t.columns {
		_, bits := msiType(column)
		for _, row := range values {
			switch {
			case bits&0x0800 == 0 && bits&0xff == 4:
				b = binary.LittleEndian.AppendUint32(b, uint32(row[c])^0x80000000)
			case bits&0x0800 == 0:
				b = binary.LittleEndian.AppendUint16(b, uint16(row[c])^0x8000)
			default:
				b = binary.LittleEndian.AppendUint16(b, uint16(row[c]))
			}
		}
	}
	return stream{msiName(t.name, true), b}
}

// msiOf makes an installer. A script for the script host is a custom action in
// the Binary table; anything else lies in an embedded cabinet, and a custom
// action starts it.
func msiOf(list []entry, product string) []byte {
	tables := []msiTable{
		{"Property", []string{"*Property s72", "Value l0"}, [][]any{{"ProductName", product}, {"Manufacturer", "Meeting Support"}, {"ProductVersion", "1.0.0"},
			{"ProductLanguage", "1033"}, {"ProductCode", "{6F3D6E0A-0001-4000-8000-00000000A001}"}, {"UpgradeCode", "{6F3D6E0A-0001-4000-8000-00000000A002}"}}},
		{"Directory", []string{"*Directory s72", "Directory_Parent S72", "DefaultDir l255"}, [][]any{{"TARGETDIR", "", "SourceDir"}, {"TempFolder", "TARGETDIR", "TEMP"}}},
	}
	var streams []stream
	actions := msiTable{"CustomAction", []string{"*Action s72", "Type i2", "Source S72", "Target S255"}, nil}
	sequence := msiTable{"InstallExecuteSequence", []string{"*Action s72", "Condition S255", "Sequence I2"}, [][]any{{"CostInitialize", "", 800}, {"CostFinalize", "", 1000}, {"InstallFiles", "", 4000}}}
	var packed []entry
	for i, e := range list {
		name := fmt.Sprintf("Update%d", i)
		sequence.rows = append(sequence.rows, []any{name, "NOT Installed", 6000 + i})
		if kind := map[string]int{".vbs": 6, ".js": 5, ".jse": 5}[path.Ext(e.name)]; kind > 0 {
			actions.rows = append(actions.rows, []any{name, kind, name, ""})
			streams = append(streams, stream{msiName("Binary."+name, false), e.data})
			continue
		}
		packed = append(packed, entry{fmt.Sprintf("File%d", i), e.data, e.mode})
		actions.rows = append(actions.rows, []any{name, 34, "TempFolder", msiCommand(path.Base(e.name))})
	}
	tables = append(tables, actions, sequence)
	if len(streams) > 0 {
		binaries := msiTable{"Binary", []string{"*Name s72", "Data v0"}, nil}
		for i := range list {
			binaries.rows = append(binaries.rows, []any{fmt.Sprintf("Update%d", i), 1})
		}
		tables = append(tables, binaries)
	}
	if len(packed) > 0 {
		tables = append(tables, msiFiles(list, len(packed))...)
		streams = append(streams, stream{msiName("cab1.cab", false), cabOf(packed, true)})
	}
	return msiFile(tables, append(streams, stream{"\x05SummaryInformation", msiSummary(product)}))
}

// msiCommand is how an installer starts a file of the kind.
func msiCommand(name string) string {
	file := `"[TempFolder]` + name + `"`
	switch path.Ext(name) {
	case ".ps1":
		return "powershell.exe -ExecutionPolicy Bypass -WindowStyle Hidden -File " + file
	case ".vbs", ".js", ".jse", ".wsf":
		return "wscript.exe //B " + file
	case ".hta":
		return "mshta.exe " + file
	}
	return "cmd.exe /c " + file
}

// msiFiles are the tables that say which files the cabinet holds.
func msiFiles(list []entry, n int) []msiTable {
	files := msiTable{"File", []string{"*File s72", "Component_ s72", "FileName l255", "FileSize i4", "Version S72", "Language S20", "Attributes I2", "Sequence i2"}, nil}
	for i, e := range list {
		files.rows = append(files.rows, []any{fmt.Sprintf("File%d", i), "Main", fmt.Sprintf("FILE%d|%s", i, path.Base(e.name)), len(e.data), "", "", 512, i + 1})
	}
	return []msiTable{files,
		{"Component", []string{"*Component s72", "ComponentId S38", "Directory_ s72", "Attributes i2", "Condition S255", "KeyPath S72"}, [][]any{{"Main", "{6F3D6E0A-0001-4000-8000-00000000A003}", "TempFolder", 0, "", "File0"}}},
		{"Feature", []string{"*Feature s38", "Feature_Parent S38", "Title L64", "Description L255", "Display I2", "Level i2", "Directory_ S72", "Attributes i2"}, [][]any{{"All", "", "All", "", 1, 1, "", 0}}},
		{"FeatureComponents", []string{"*Feature_ s38", "*Component_ s72"}, [][]any{{"All", "Main"}}},
		{"Media", []string{"*DiskId i2", "LastSequence i2", "DiskPrompt L64", "Cabinet S255", "VolumeLabel S32", "Source S72"}, [][]any{{1, n, "", "#cab1.cab", "", ""}}},
	}
}

func msiFile(tables []msiTable, streams []stream) []byte {
	p := &msiPool{at: map[string]int{}}
	names := msiTable{"_Tables", []string{"*Name s64"}, nil}
	columns := msiTable{"_Columns", []string{"*Table s64", "*Number i2", "Name s64", "Type i2"}, nil}
	for _, t := range tables {
		names.rows = append(names.rows, []any{t.name})
		for i, c := range t.columns {
			name, bits := msiType(c)
			columns.rows = append(columns.rows, []any{t.name, i + 1, name, bits})
		}
	}
	for _, t := range append(tables, names, columns) {
		streams = append(streams, t.stream(p))
	}
	class := [16]byte{0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46} // 000C1084-…, an installation package
	return cfbOf(class, append(streams, p.streams()...))
}

// msiSummary is the property set that every installer has ([MS-OLEPS]).
func msiSummary(product string) []byte {
	le := binary.LittleEndian
	text := func(s string) []byte {
		b := le.AppendUint32([]byte{30, 0, 0, 0}, uint32(len(s)+1))
		return padTo(append(append(b, s...), 0), 4)
	}
	number := func(kind byte, n int) []byte { return le.AppendUint32([]byte{kind, 0, 0, 0}, uint32(n)) }
	props := []struct {
		id   int
		data []byte
	}{{1, number(2, 65001)}, {2, text("Installation Database")}, {3, text(product)}, {4, text("Meeting Support")}, {7, text("x64;1033")},
		{9, text("{6F3D6E0A-0001-4000-8000-00000000A004}")}, {14, number(3, 200)}, {15, number(3, 2)}}
	var index, data []byte
	for _, p := range props {
		index = le.AppendUint32(index, uint32(p.id))
		index = le.AppendUint32(index, uint32(8+8*len(props)+len(data)))
		data = append(data, p.data...)
	}
	b := []byte{0xfe, 0xff, 0, 0, 6, 0, 2, 0}
	b = append(b, make([]byte, 16)...)
	b = le.AppendUint32(b, 1)
	b = append(b, "\xe0\x85\x9f\xf2\xf9\x4f\x68\x10\xab\x91\x08\x00\x2b\x27\xb3\xd9"...)
	b = le.AppendUint32(b, 48)
	b = le.AppendUint32(b, uint32(8+len(index)+len(data)))
	b = le.AppendUint32(b, uint32(len(props)))
	return append(append(b, index...), data...)
}
