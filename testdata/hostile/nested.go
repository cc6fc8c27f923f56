package hostile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"meetguard/testdata/specimens"
)

// deep is more containers in each other than are opened.
const deep = 7

func (k *kit) nested() {
	kinds := specimens.Boxes()
	for _, kind := range kinds {
		it := k.over(Nested, fmt.Sprintf("%s in itself, %d times", kind, deep), "deep."+kind, func() []byte {
			data := Lure(-1)
			for i := range deep {
				data = specimens.Box(kind, nameOf(kind, i), data)
			}
			return data
		})
		it.Over = opened(kind)
	}
	for i, kind := range kinds {
		k.add(Nested, kind+" in all others", "all."+kind, func() []byte {
			data := Lure(-1)
			for j := range deep {
				other := kinds[(i+j*5)%len(kinds)]
				data = specimens.Box(other, nameOf(other, j), data)
			}
			return data
		})
	}
	k.structures()
}

// nameOf is what a box of a kind holds, so that it is opened in turn.
func nameOf(kind string, i int) string {
	if i == 0 {
		return LureName
	}
	if kind == "exe" || kind == "msi" {
		return "setup." + kind
	}
	return "kit." + kind
}

const levels = 200_000

func (k *kit) structures() {
	text := func(what, name, open, middle, end string, n int) {
		k.add(Nested, what, name, func() []byte {
			return append(append(again(open, n), middle...), again(end, n)...)
		})
	}
	text("arrays of a property list", "deep.plist", "<array>", "", "</array>", levels)
	text("dictionaries of a property list", "deep2.plist", "<dict><key>CFBundleName</key>", "<string>Zoom</string>", "</dict>", levels)
	text("elements of a page", "deep.html", "<div>", "<a href=\"https://zoom.invalid\">", "</div>", levels)
	text("elements of a task", "deep.xml", "<Exec>", "cmd", "</Exec>", levels)
	text("elements of a picture", "deep.svg", "<g>", "<script>1</script>", "</g>", levels)
	text("arrays of JSON", "deep.json", "[", "", "]", levels)
	text("groups of RTF", "deep.rtf", "{\\rtf1 ", "x", "}", levels)
	text("dictionaries of a PDF", "deep.pdf", "%PDF-1.7 1 0 obj <<", "/JS (app.launchURL)", ">>", levels)
	text("brackets of PowerShell", "deep.ps1", "(", "iex 'a'", ")", levels)
	text("script blocks of PowerShell", "blocks.ps1", "&{", "iex 'a'", "}", levels)
	text("brackets of JavaScript", "deep.js", "eval(unescape(", "'a'", "))", levels)
	text("functions of JavaScript", "functions.js", "(function(){", "WScript", "})()", levels)
	text("substitutions of a shell", "deep.sh", "$(", "curl", ")", levels)
	text("quotes of a shell", "quotes.sh", "sh -c \"", "curl", "\"", levels)
	text("blocks of AppleScript", "deep.applescript", "tell application \"Zoom\"\n", "do shell script \"a\"", "\nend tell", levels/4)
	text("brackets of AppleScript", "brackets.scpt", "(do shell script ", "\"a\"", ")", levels)
	text("blocks of batch", "deep.bat", "if 1==1 (", "mshta", ")", levels)
	text("calls of VBScript", "deep.vbs", "Execute(", "\"a\"", ")", levels)
	text("lists of Python", "deep.py", "exec(", "'a'", ")", levels)
	text("elements of a shortcut to a library", "deep.library-ms", "<libraryDescription>", "", "</libraryDescription>", levels)
	k.add(Nested, "parts of a mail", "deep.eml", func() []byte { return mails(5000) })
	k.add(Nested, "mails in a mail", "mails.eml", func() []byte {
		return append(again("Content-Type: message/rfc822\r\n\r\n", 50_000), "Subject: Zoom\r\n\r\nhello"...)
	})
	k.add(Nested, "base64 of base64", "deep64.ps1", func() []byte { return base64s("powershell -enc ", 28) })
	k.add(Nested, "binary property list that holds itself", "loop.plist", binaryPlist)
	k.add(Nested, "resources that hold themselves", "loop.exe", loopedResources)
	k.add(Nested, "folder of an image that holds itself", "loop.iso", loopedISO)
	k.add(Nested, "compound file whose chain is a ring", "loop.msi", loopedCompound)
	k.add(Nested, "program for many processors that holds itself", "fatloop", func() []byte { return fat(20, 0) })
	k.add(Nested, "folder of folders in an archive", "folders.zip", func() []byte {
		return specimens.Box("zip", strings.Repeat("a/", 30_000)+LureName, Lure(-1))
	})
	k.add(Nested, "folders in the list of a package", "folders.pkg", func() []byte { return xar(again("<file id=\"1\"><name>a</name><type>directory</type>", 100_000)) })
	k.add(Nested, "sequences of ASN.1 in a program", "asn.exe", certificates)
	k.add(Nested, "links to addresses in links", "link.url", func() []byte {
		return append([]byte("[InternetShortcut]\r\nURL="), again("https://zoom.invalid/?u=", 60_000)...)
	})
}

func mails(n int) []byte {
	var b bytes.Buffer
	b.WriteString("From: a@zoom.invalid\r\nSubject: Zoom\r\nMIME-Version: 1.0\r\n")
	for i := range n {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n", i, i)
	}
	return b.Bytes()
}

// base64s hides the same call in itself: each layer is a third longer.
func base64s(call string, n int) []byte {
	text := []byte(call + "aQBlAHgA")
	for range n {
		text = fmt.Appendf(nil, "%s%s", call, base64Of(text))
	}
	return text
}

// binaryPlist is an array whose only element is the array.
func binaryPlist() []byte {
	b := []byte("bplist00\xa1\x00") // at 8: an array of one, which is object 0
	b = append(b, 8)                // the table of offsets
	b = append(b, make([]byte, 6)...)
	b = append(b, 1, 1)
	b = binary.BigEndian.AppendUint64(b, 1)
	b = binary.BigEndian.AppendUint64(b, 0)
	return binary.BigEndian.AppendUint64(b, 10)
}

// loopedResources is a program whose resource folder is its own subfolder, 60
// times.
func loopedResources() []byte {
	data := bytes.Clone(specimens.Bare()["exe"])
	le := binary.LittleEndian
	const at = 0x400 // of .rsrc
	le.PutUint16(data[at+12:], 60)
	le.PutUint16(data[at+14:], 60)
	for i := range 100 {
		if p := at + 16 + 8*i; p+8 <= len(data) {
			le.PutUint32(data[p:], uint32(16))
			le.PutUint32(data[p+4:], 1<<31)
		}
	}
	return data
}

// loopedISO is an image whose folder names the root as its child, under a name.
func loopedISO() []byte {
	data := bytes.Clone(specimens.Box("iso", "FOLDER/A.TXT", []byte("a")))
	root := bytes.Clone(data[16*2048+156+2 : 16*2048+156+10]) // where the root lies
	for at := 17 * 2048; at+34 < len(data); at += 2048 {
		for p := at; p+34 < at+2048 && data[p] > 33; p += int(data[p]) {
			if data[p+25]&2 != 0 {
				copy(data[p+2:], root)
			}
		}
	}
	return data
}

// loopedCompound is a database whose sectors follow each other in a ring.
func loopedCompound() []byte {
	data := bytes.Clone(specimens.Box("msi", "a.vbs", []byte("MsgBox 1")))
	for i := range 64 {
		if p := len(data) - 512 + 4*i; p > 512 {
			binary.LittleEndian.PutUint32(data[p:], uint32(i^1))
		}
	}
	return data
}

// fat is a program for n processors, each of which is the same place.
func fat(n int, offset uint32) []byte {
	be := binary.BigEndian
	b := be.AppendUint32([]byte{0xca, 0xfe, 0xba, 0xbe}, uint32(n))
	for i := range n {
		for _, v := range []uint32{0x01000007 + uint32(i), 3, offset, 1 << 20, 12} {
			b = be.AppendUint32(b, v)
		}
	}
	return append(b, specimens.Bare()["macho"]...)
}

// xar is a package whose list is toc.
func xar(toc []byte) []byte {
	packed := zlibbed(append([]byte("<?xml version=\"1.0\"?><xar><toc>"), toc...))
	be := binary.BigEndian
	b := []byte("xar!\x00\x1c\x00\x01")
	b = be.AppendUint64(b, uint64(len(packed)))
	b = be.AppendUint64(b, uint64(len(toc)+31))
	return append(be.AppendUint32(b, 0), packed...)
}

// certificates is a program whose signature is nothing but nested sequences.
func certificates() []byte {
	data := bytes.Clone(specimens.Bare()["exe"])
	body := again("\x30\x80", 100_000)
	le := binary.LittleEndian
	opt := int(le.Uint32(data[0x3c:])) + 24
	le.PutUint32(data[opt+112+8*4:], uint32(len(data)))
	le.PutUint32(data[opt+116+8*4:], uint32(len(body)+8))
	head := le.AppendUint32(nil, uint32(len(body)+8))
	return append(append(append(data, head...), 0, 2, 2, 0), body...)
}
