package specimens

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"strconv"
	"strings"
)

// fresh makes lures of stories and techniques that the rules were not written
// against.
func (b *kit) fresh() {
	b.freshApple()
	b.freshJXA()
	b.freshCommands()
	b.freshMacTools()
	b.freshMacShapes()
	b.freshPower()
	b.freshBatch()
	b.freshHosts()
	b.freshWindowsShapes()
	b.freshLinux()
	b.freshWeb()
	b.freshMail()
	b.freshBoxes()
	b.freshAgain()
}

// lure adds a lure that is a text, written in a raw string: ´ stands for the
// backquote that such a string cannot hold. Scripts for Windows get its line
// ends.
func (b *kit) lure(story, platform, obfuscation, language, name, text string, hidden ...string) {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\n"), "´", "`")
	if platform == "windows" {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	b.script("fresh-"+story, platform, language, obfuscation, name, text, hidden...)
}

// bundle adds a lure that is a folder which the system shows as one file.
func (b *kit) bundle(story, wrapper, obfuscation, language, name string, members []Member, hidden ...string) {
	b.list = append(b.list, Specimen{Name: name, Family: "fresh-" + story, Platform: "macos", Wrapper: wrapper, Obfuscation: obfuscation,
		Language: language, Mode: 0o755, Members: members, clear: hidden})
}

// boxed adds a lure in a container.
func (b *kit) boxed(story, platform, wrapper, obfuscation, language, name string, data []byte, hidden ...string) {
	b.list = append(b.list, Specimen{Name: name, Family: "fresh-" + story, Platform: platform, Wrapper: wrapper, Obfuscation: obfuscation,
		Language: language, Data: data, Mode: 0o644, clear: hidden})
}

func itoa(n int) string { return strconv.Itoa(n) }

// rot47 turns every printable character but the blank into another.
func rot47(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '!' || r > '~' {
			return r
		}
		return '!' + (r-'!'+47)%94
	}, s)
}

// whitespace writes s in bits of blanks and tabs, a character a line.
func whitespace(s string) string {
	mark := strings.NewReplacer("0", " ", "1", "\t")
	return each(s, "\n", func(r rune) string { return mark.Replace(strconv.FormatInt(int64(r), 2)) }) + "\n"
}

func xorList(s string, key byte) []string {
	var out []string
	for i := range len(s) {
		out = append(out, itoa(int(s[i]^key)))
	}
	return out
}

// b85 is the alphabet of Python's base64.b85encode.
func b85(s string) string {
	const abc = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
	var out strings.Builder
	digits := []rune(abc)
	in := append([]byte(s), make([]byte, (4-len(s)%4)%4)...)
	for i := 0; i < len(in); i += 4 {
		n := binary.BigEndian.Uint32(in[i:])
		var group [5]rune
		for j := 4; j >= 0; j-- {
			group[j], n = digits[n%85], n/85
		}
		out.WriteString(string(group[:]))
	}
	return out.String()[:len(out.String())-(len(in)-len(s))]
}

func gzipped(data []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(data) // a bytes.Buffer takes everything
	w.Close()
	return buf.Bytes()
}

func base36(s string) string {
	return each(s, ",", func(r rune) string { return `"` + strconv.FormatInt(int64(r), 36) + `"` })
}

func percent(s string) string {
	return each(s, "", func(r rune) string { return "%" + strconv.FormatInt(int64(r), 16) })
}
