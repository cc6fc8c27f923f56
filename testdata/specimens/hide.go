package specimens

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"
)

// hiding is one way to write a command so that it does not stand in the text.
type hiding struct {
	name string
	hide func(command string) string
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func gzip64(s string) string {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // the level is a valid one
	w.Write([]byte(s))                                      // a bytes.Buffer takes everything
	w.Close()
	return base64.StdEncoding.EncodeToString(buf.Bytes())
}

func utf16le(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

func utf16be(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.BigEndian.AppendUint16(out, u)
	}
	return out
}

func reverse(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

// each joins f of every character of s with sep.
func each(s, sep string, f func(rune) string) string {
	var out []string
	for _, r := range s {
		out = append(out, f(r))
	}
	return strings.Join(out, sep)
}

// pieces cuts s after every n bytes.
func pieces(s string, n int) []string {
	var out []string
	for len(s) > n {
		out, s = append(out, s[:n]), s[n:]
	}
	return append(out, s)
}

// A command is a shell command without quotes and backslashes, so that it can
// be put into every language.

func appleText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// appleHidings are for AppleScript: command is a shell command.
var appleHidings = []hiding{
	{"plain", func(c string) string { return "do shell script " + appleText(c) }},
	{"characters joined", func(c string) string {
		return "do shell script " + each(c, " & ", func(r rune) string { return appleText(string(r)) })
	}},
	{"pairs joined", func(c string) string {
		return "do shell script (" + strings.Join(quoteAll(pieces(c, 2)), "&") + ")"
	}},
	{"variables", func(c string) string {
		var out, names []string
		for i, p := range pieces(c, 5) {
			names = append(names, fmt.Sprintf("part%d", i+1))
			out = append(out, fmt.Sprintf("set part%d to %s", i+1, appleText(p)))
		}
		return strings.Join(append(out, "set theTask to "+strings.Join(names, " & "), "do shell script theTask"), "\n")
	}},
	{"ASCII character", func(c string) string {
		return "set k to " + each(c, " & ", func(r rune) string { return fmt.Sprintf("(ASCII character %d)", r) }) + "\ndo shell script k"
	}},
	{"character id list", func(c string) string {
		return "do shell script (character id {" + each(c, ", ", func(r rune) string { return fmt.Sprint(int(r)) }) + "})"
	}},
	{"reversed", func(c string) string {
		return "set x to (reverse of characters of " + appleText(reverse(c)) + ") as text\ndo shell script x"
	}},
	{"base64", func(c string) string {
		return "do shell script " + appleText("echo "+b64(c)+" | base64 -D | sh")
	}},
	{"handler", func(c string) string {
		return lines("on decode(t)", `set r to ""`, "repeat with ch in characters of t", "set r to r & character id ((id of ch) - 1)", "end repeat", "return r", "end decode") +
			"do shell script decode(" + appleText(each(c, "", func(r rune) string { return string(r + 1) })) + ")"
	}},
}

func quoteAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = appleText(s)
	}
	return out
}

// shellHidings are for sh, bash and zsh.
var shellHidings = []hiding{
	{"plain", func(c string) string { return c }},
	{"base64", func(c string) string { return "echo '" + b64(c) + "' | base64 -d | bash" }},
	{"base64 macOS", func(c string) string { return "eval \"$(printf %s " + b64(c) + " | base64 -D)\"" }},
	{"gzip and base64", func(c string) string { return "base64 -d <<< " + gzip64(c) + " | gunzip | sh" }},
	{"hex and xxd", func(c string) string {
		return "echo " + hex.EncodeToString([]byte(c)) + " | xxd -r -p | sh"
	}},
	{"printf octal", func(c string) string {
		return "printf '" + each(c, "", func(r rune) string { return fmt.Sprintf(`\%03o`, r) }) + "' | sh"
	}},
	{"ANSI-C quotes", func(c string) string {
		return "eval $'" + each(c, "", func(r rune) string { return fmt.Sprintf(`\x%02x`, r) }) + "'"
	}},
	{"reversed", func(c string) string { return "eval \"$(echo '" + reverse(c) + "' | rev)\"" }},
	{"variables", func(c string) string {
		var out, use []string
		for i, p := range pieces(c, 4) {
			out, use = append(out, fmt.Sprintf("_%c='%s'", 'a'+i%26+i/26*('A'-'a'), p)), append(use, fmt.Sprintf("${_%c}", 'a'+i%26+i/26*('A'-'a')))
		}
		return strings.Join(out, "; ") + "\neval \"" + strings.Join(use, "") + "\""
	}},
	{"broken words", func(c string) string {
		return strings.NewReplacer("curl", `c'u'r"l"`, "bash", `b\as''h`, "zsh", `z's'h`, "osascript", `osa""scr'ip't`).Replace(c)
	}},
	{"rot13", func(c string) string {
		return "eval \"$(echo '" + rot13(c) + "' | tr 'A-Za-z' 'N-ZA-Mn-za-m')\""
	}},
}

func rot13(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return 'a' + (r-'a'+13)%26
		case r >= 'A' && r <= 'Z':
			return 'A' + (r-'A'+13)%26
		}
		return r
	}, s)
}

// batchHidings are for cmd: command is one line.
var batchHidings = []hiding{
	{"plain", func(c string) string { return c }},
	{"carets", func(c string) string {
		var out strings.Builder
		for _, w := range strings.SplitAfter(c, " ") {
			if len(w) > 3 && !strings.ContainsAny(w, `%:"`) {
				w = w[:1] + "^" + w[1:2] + "^" + w[2:]
			}
			out.WriteString(w)
		}
		return out.String()
	}},
	{"set pieces", func(c string) string {
		var out []string
		use := ""
		for i, p := range pieces(strings.ReplaceAll(c, "%", "%%"), 6) {
			out, use = append(out, fmt.Sprintf(`set "q%d=%s"`, i, p)), use+fmt.Sprintf("%%q%d%%", i)
		}
		return strings.Join(out, "\r\n") + "\r\n" + use
	}},
	{"alphabet", func(c string) string {
		const abc = "abcdefghijklmnopqrstuvwxyz./:- "
		return "set z=" + abc + "\r\n" + each(c, "", func(r rune) string {
			if i := strings.IndexRune(abc, r); i >= 0 {
				return fmt.Sprintf("%%z:~%d,1%%", i)
			}
			return string(r)
		})
	}},
}

func psQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// powerHidings are for PowerShell: command is one statement.
var powerHidings = []hiding{
	{"plain", func(c string) string { return c }},
	{"joined", func(c string) string {
		var out []string
		for _, p := range pieces(c, 3) {
			out = append(out, psQuote(p))
		}
		return "& ('I'+'EX') (" + strings.Join(out, "+") + ")"
	}},
	{"format operator", func(c string) string {
		p := pieces(c, 7)
		form, args := "", make([]string, len(p))
		for i := range p {
			j := len(p) - 1 - i
			form += fmt.Sprintf("{%d}", j)
			args[j] = psQuote(p[i])
		}
		return "iex (\"" + form + "\" -f " + strings.Join(args, ",") + ")"
	}},
	{"character codes", func(c string) string {
		return "iex (-join ([char[]](" + each(c, ",", func(r rune) string { return fmt.Sprint(int(r)) }) + ")))"
	}},
	{"base64", func(c string) string {
		return "$b = " + psQuote(b64(c)) + "\r\nInvoke-Expression ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($b)))"
	}},
	{"encoded command", func(c string) string {
		return "powershell.exe -NoP -W Hidden -EncodedCommand " + base64.StdEncoding.EncodeToString(utf16le(c))
	}},
	{"reversed", func(c string) string {
		return "$r = " + psQuote(reverse(c)) + "; iex ($r[-1..-($r.Length)] -join '')"
	}},
	{"backticks", func(c string) string {
		return strings.NewReplacer("Invoke-WebRequest", "I`nvoke-W`ebRequest", "Start-Process", "S`tart-Pro`cess", "iex", "i`ex", "Invoke-Expression", "I`nvoke-Exp`ression").Replace(c)
	}},
	{"replaced marks", func(c string) string {
		return "iex (" + psQuote(strings.NewReplacer("e", "~#~", "t", "!@!").Replace(c)) + ".Replace('~#~','e').Replace('!@!','t'))"
	}},
}

func vbText(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// vbHidings make a VBScript expression of a text.
var vbHidings = []hiding{
	{"plain", vbText},
	{"Chr", func(c string) string { return each(c, "&", func(r rune) string { return fmt.Sprintf("Chr(%d)", r) }) }},
	{"StrReverse", func(c string) string { return "StrReverse(" + vbText(reverse(c)) + ")" }},
	{"joined", func(c string) string {
		var out []string
		for _, p := range pieces(c, 3) {
			out = append(out, vbText(p))
		}
		return strings.Join(out, " & ")
	}},
	{"Replace", func(c string) string {
		return "Replace(" + vbText(each(c, "zq", func(r rune) string { return string(r) })) + `, "zq", "")`
	}},
}

func jsText(s string) string { return fmt.Sprintf("%q", s) }

// jsHidings make a JScript expression of a text.
var jsHidings = []hiding{
	{"plain", jsText},
	{"fromCharCode", func(c string) string {
		return "String.fromCharCode(" + each(c, ",", func(r rune) string { return fmt.Sprint(int(r)) }) + ")"
	}},
	{"reversed", func(c string) string { return jsText(reverse(c)) + `.split("").reverse().join("")` }},
	{"array joined", func(c string) string {
		var out []string
		for _, p := range pieces(c, 4) {
			out = append(out, jsText(p))
		}
		return "[" + strings.Join(out, ",") + `].join("")`
	}},
	{"hex escapes", func(c string) string {
		return `"` + each(c, "", func(r rune) string { return fmt.Sprintf(`\x%02x`, r) }) + `"`
	}},
}

// padding is one way to push code out of sight.
type padding struct {
	name string
	text func(comment string) string
}

var paddings = []padding{
	{"blank lines 50", func(string) string { return strings.Repeat("\n", 50) }},
	{"blank lines 400", func(string) string { return strings.Repeat("\n", 400) }},
	{"blank lines 10000", func(string) string { return strings.Repeat("\n", 10000) }},
	{"blank lines CRLF", func(string) string { return strings.Repeat("\r\n", 200) }},
	{"lines of tabs", func(string) string { return strings.Repeat("\t\t\t\n", 120) }},
	{"lines of blanks", func(string) string { return strings.Repeat("    \n", 120) }},
}

// oddPaddings are in no report.
var oddPaddings = []padding{
	{"form feeds", func(string) string { return strings.Repeat("\f\n", 90) }},
	{"no-break spaces", func(string) string { return strings.Repeat("\u00a0\u00a0\n", 90) }},
	{"ideographic spaces", func(string) string { return strings.Repeat("\u3000\n", 90) }},
	{"zero-width spaces", func(string) string { return strings.Repeat("\u200b\n", 90) }},
	{"empty comments", func(c string) string { return strings.Repeat(c+"\n", 150) }},
	{"comment rulers", func(c string) string { return strings.Repeat(c+" ------------------------------\n", 150) }},
	{"comment prose", func(c string) string {
		var out strings.Builder
		for i := range 150 {
			fmt.Fprintf(&out, "%s Step %d: checking component %d of 150, please do not close this window.\n", c, i+1, i+1)
		}
		return out.String()
	}},
	{"blank lines CR", func(string) string { return strings.Repeat("\r", 150) }},
}
