package inspect

import (
	"html"
	"regexp"
	"strings"
)

var (
	passwordField = regexp.MustCompile(`(?i)<input[^>]*type\s*=\s*["']?password`)
	formAction    = regexp.MustCompile(`(?i)<form[^>]*?\saction\s*=\s*["']?\s*(https?:[^"'\s>]+)`)
	sentLogin     = regexp.MustCompile(`(?i)(?:fetch|sendBeacon|\.open|\.post|ajax)\(\s*(?:["']POST["']\s*,\s*)?["'](https?://[^"'\s]+)`)
	consoleKeys   = regexp.MustCompile(`(?i)\bF12\b|developer tools|dev ?tools|allow pasting|\bconsole\b.{0,60}(paste|einf|coll|peg|cole|вставь|粘贴|貼|붙여)|(paste|einf|collez|pegue|cole|вставьте|粘贴|貼り付け|붙여).{0,80}(\bconsole\b|konsole|consola|консол|控制台|コンソール|콘솔)`)
	consoleCode   = regexp.MustCompile(`(?is)(fetch|import|XMLHttpRequest|\$\.get|getScript)\s*\(.{0,200}?//.{0,200}?(eval|Function|text\(\)|\.src)|\bimport\(\s*['"]https?://|(fetch|sendBeacon)\(.{0,200}(document\.cookie|localStorage)`)
	bookmarkSends = regexp.MustCompile(`(?is)href\s*=\s*(?:"(javascript:[^"]+)|'(javascript:[^']+))`)
	handlerLinks  = regexp.MustCompile(`(?i)["'(=\s](ms-appinstaller:[^"'\s>]+|applescript:[^"'\s>]+|ms-msdt:[^"'>]+|ms-officecmd:[^"'>]+|itms-services:[^"'\s>]+|ms-(?:word|excel|powerpoint):ofe\|u\|[^"'\s>]+|jnlps?:[^"'\s>]+)`)
	dropAddress   = regexp.MustCompile(`(?i)(?:location(?:\.href)?\s*=\s*|location\.(?:assign|replace)\(\s*|window\.open\(\s*|\?\s*|:\s*|;\s*url=|\.href\s*=\s*)["'` + "`" + `]?(https?://[^"'\s>` + "`" + `]+)`)
	clicksItself  = regexp.MustCompile(`(?i)\.click\(\)`)
	linkAddress   = regexp.MustCompile(`(?i)<a[^>]*?\shref\s*=\s*["']?(https?://[^"'\s>]+)`)
	madeName      = regexp.MustCompile(`(?i)\.download\s*=\s*["'` + "`" + `]([^"'` + "`" + `\n]+\.(?:exe|msi|msix|appx|scr|com|iso|img|vhdx?|lnk|js|jse|vbs|vbe|wsf|hta|bat|cmd|ps1|scpt|applescript|command|pkg|dmg|jar|url|terminal|mobileconfig|inetloc|fileloc|desktop|appimage|deb))["'` + "`" + `]|msSaveOrOpenBlob\([^,]+,\s*["'][^"']+\.(?:exe|msi|iso|lnk|js|vbs|hta|bat|ps1|scpt|command)["']`)
	madeAddress   = regexp.MustCompile(`(?i)createObjectURL|msSaveOrOpenBlob|data:application`)
	madeBytes     = regexp.MustCompile(`(?i)atob\(|fromCharCode|Uint8Array|;base64,|decodeURIComponent|unescape\(`)
	shownCode     = regexp.MustCompile(`\b(?:[A-Z0-9]{3,5}-[A-Z0-9]{3,5}|[A-Z]*[0-9][A-Z0-9]*[A-Z][A-Z0-9]*)\b`)
	pictureLeads  = regexp.MustCompile(`(?is)<script.*?(location(\.href)?\s*=|location\.(assign|replace)\(|window\.open\(|top\.location)`)
	markup        = regexp.MustCompile(`(?s)<script.*?</script>|<style.*?</style>|<[^>]*>`)
)

// Words of pages, in lower case.
var (
	consoleWords = []string{"f12", "dev tools", "devtools", "developer tools", "allow pasting", "console", "konsole", "consola", "консол", "控制台", "コンソール", "콘솔"}
	codePhrases  = []string{"devicelogin", "device code", "microsoft.com/device", "google.com/device", "enter this code", "enter the code", "gerätecode", "diesen code ein", "code de l'appareil", "saisissez ce code", "saisissez le code", "introduzca este código", "introduzca el código", "código do dispositivo", "insira este código", "insira o código",
		"введите код", "введите этот код", "设备代码", "输入此代码", "输入代码", "輸入代碼", "デバイス コード", "デバイスコード", "コードを入力", "기기 코드", "코드를 입력", "inserisci il codice", "inserisci questo codice", "cihaz kodu", "wpisz kod", "voer deze code", "masukkan kode", "nhập mã"}
	walletAsked  = []string{"eth_requestaccounts", "window.solana", "solana.connect", "tronweb", "walletconnect", "window.ethereum", "phantom"}
	walletMoved  = []string{"eth_sendtransaction", "eth_signtypeddata", "personal_sign", "signalltransactions", "signandsendtransaction", "signtransaction", "setapprovalforall", "increaseallowance"}
	sessionWords = []string{"document.cookie", "localStorage", "sessionStorage", "indexedDB"}
)

// readPage reads what a saved page has its reader do besides pasting a command.
func readPage(v *Vehicle, name string, data []byte) {
	v.Kind = VehiclePage
	text := textOf(data[:min(len(data), pageBytes)])
	if len(text) == 0 || strings.IndexByte(text, '<') < 0 {
		return
	}
	low := asciiLower(text)
	scripted := containsOne(low, "<script", "onclick", "onload", "javascript:")
	v.login(text, low)
	v.handlers(text, low)
	v.drops(text, low, scripted)
	if scripted {
		v.made(text, low)
		v.bookmark(text, low)
	}
	if containsOne(low, consoleWords...) && containsOne(low, "fetch(", "import(", "xmlhttprequest", "getscript", "$.get(") && consoleKeys.MatchString(text) && consoleCode.MatchString(text) {
		v.has(TraitConsole)
		v.leads(textHosts(text))
	}
	if containsOne(strings.ToLower(text), codePhrases...) && shownCode.MatchString(text) {
		v.has(TraitDeviceCode)
		v.leads(merged(PageHosts(data), textHosts(text)))
	}
	if containsOne(low, walletAsked...) && containsOne(low, walletMoved...) {
		v.has(TraitWallet)
		v.leads(textHosts(text))
	}
	if strings.HasSuffix(asciiLower(name), ".svg") && pictureLeads.MatchString(text) && strings.Contains(text, "://") {
		v.has(TraitPictureMoves)
		v.leads(textHosts(text))
	}
	if len(v.Traits) > 0 {
		v.Story = html.UnescapeString(markup.ReplaceAllString(title(text)+" "+text, " "))
	}
}

// title is what stands between the tags of the title.
func title(text string) string { return first(elements(text, "title", 1)) }

// login notes where a password goes: the address of its form, or that of a
// script.
func (v *Vehicle) login(text, low string) {
	if !strings.Contains(low, "password") || !passwordField.MatchString(text) {
		return
	}
	for _, m := range append(formAction.FindAllStringSubmatch(text, 4), sentLogin.FindAllStringSubmatch(text, 4)...) {
		v.has(TraitSendsLogin)
		v.leads(hostList(m[1]))
	}
}

func (v *Vehicle) handlers(text, low string) {
	if !containsOne(low, "ms-appinstaller:", "applescript:", "ms-msdt:", "ms-officecmd:", "itms-services:", ":ofe|u|", "jnlp:", "jnlps:") {
		return
	}
	for _, m := range handlerLinks.FindAllStringSubmatch(text, 8) {
		address := html.UnescapeString(m[1])
		plain := percentDecoded(address)
		if strings.Contains(plain, "://") || strings.Contains(asciiLower(plain), "script=") {
			v.has(TraitOpensHandler)
			v.leads(textHosts(plain[strings.IndexByte(plain, ':'):]))
		}
		if at := strings.Index(asciiLower(plain), "script="); at >= 0 {
			v.run("applescript", plain[at+len("script="):])
		}
	}
}

// programNames are the ends of names by which programs are handed out.
var programNames = []string{".exe", ".msi", ".dmg", ".pkg", ".appinstaller", ".scpt", ".command", ".iso", ".vbs", ".hta", ".lnk", ".bat", ".cmd", ".ps1", ".jar", ".deb", ".rpm", ".appimage", ".apk"}

// drops notes a program whose download the page starts by itself.
func (v *Vehicle) drops(text, low string, scripted bool) {
	if !scripted && !strings.Contains(low, "http-equiv") {
		return
	}
	if !containsOne(low, programNames...) {
		return
	}
	itself := clicksItself.MatchString(text)
	for _, m := range dropAddress.FindAllStringSubmatch(text, 32) {
		if namesProgram(m[1]) {
			v.has(TraitDropsProgram)
			v.leads(hostList(m[1]))
		}
	}
	if !itself {
		return
	}
	for _, m := range linkAddress.FindAllStringSubmatch(text, 64) {
		if namesProgram(m[1]) {
			v.has(TraitDropsProgram)
			v.leads(hostList(m[1]))
		}
	}
}

// made notes a program that the page makes out of its text.
func (v *Vehicle) made(text, low string) {
	if containsOne(low, "createobjecturl", "mssaveoropenblob", "data:application") && madeName.MatchString(text) && madeAddress.MatchString(text) && madeBytes.MatchString(text) {
		v.has(TraitHandsProgram)
	}
}

// bookmark notes a link to be kept as a bookmark that sends a session away.
func (v *Vehicle) bookmark(text, low string) {
	if !strings.Contains(low, "javascript:") {
		return
	}
	for _, m := range bookmarkSends.FindAllStringSubmatch(text, 32) {
		code := percentDecoded(html.UnescapeString(m[1] + m[2]))
		if containsOne(code, sessionWords...) && sendsAway(code+"JSON.stringify") {
			v.has(TraitSendsCookies)
			v.leads(textHosts(code))
		}
	}
}

// percentDecoded undoes the escapes of an address, those that are sound.
func percentDecoded(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := hexValue(s[i+1]), hexValue(s[i+2]); hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
