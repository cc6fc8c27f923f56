package detect

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// lookalikes maps letters of other scripts to the Latin letter they are read
// as. Only lower case is needed: text is folded first. Unicode TS 39 lists
// thousands; these are the ones that make a readable brand name.
var lookalikes = map[rune]rune{
	// Cyrillic
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'ё': 'e', 'ғ': 'f', 'һ': 'h', 'і': 'i', 'ї': 'i', 'ј': 'j', 'к': 'k',
	'ӏ': 'l', 'м': 'm', 'п': 'n', 'о': 'o', 'р': 'p', 'ԛ': 'q', 'г': 'r', 'ѕ': 's', 'т': 't', 'ц': 'u', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x', 'у': 'y',
	// Greek
	'α': 'a', 'β': 'b', 'ε': 'e', 'η': 'n', 'ι': 'i', 'κ': 'k', 'μ': 'm', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'σ': 'o', 'τ': 't', 'υ': 'u', 'χ': 'x', 'ω': 'w', 'ζ': 'z',
	// Armenian, Hebrew, Arabic, Coptic, Deseret, Osage
	'օ': 'o', 'ո': 'n', 'ս': 'u', 'ց': 'g', 'հ': 'h', 'ס': 'o', 'ه': 'o', 'ە': 'o', 'ہ': 'o', 'ⲟ': 'o', 'ⲍ': 'z', 'ⲙ': 'm', 'ⲣ': 'p', 'ⲥ': 'c', 'ⲧ': 't', '𐐬': 'o', '𐓪': 'o',
	// Latin extensions, small capitals and letter-like signs that NFKD leaves alone
	'ı': 'i', 'ɩ': 'i', 'ɡ': 'g', 'ø': 'o', 'đ': 'd', 'ł': 'l', 'ħ': 'h', 'ŧ': 't', 'ƶ': 'z', 'ȥ': 'z', 'ɀ': 'z', 'ʐ': 'z', 'ʑ': 'z', 'ᶎ': 'z', 'ɑ': 'a', 'ɵ': 'o', 'ɱ': 'm', 'ɓ': 'b', 'ƙ': 'k', 'ɛ': 'e', 'ɾ': 'r',
	'ᴀ': 'a', 'ʙ': 'b', 'ᴄ': 'c', 'ᴅ': 'd', 'ᴇ': 'e', 'ꜰ': 'f', 'ɢ': 'g', 'ʜ': 'h', 'ɪ': 'i', 'ᴊ': 'j', 'ᴋ': 'k', 'ʟ': 'l', 'ᴍ': 'm', 'ɴ': 'n', 'ᴏ': 'o', 'ᴘ': 'p', 'ʀ': 'r', 'ꜱ': 's', 'ᴛ': 't', 'ᴜ': 'u', 'ᴠ': 'v', 'ᴡ': 'w', 'ʏ': 'y', 'ᴢ': 'z',
	// Cherokee (its capitals) and Lisu
	'Ꭰ': 'd', 'Ꭱ': 'r', 'Ꭲ': 't', 'Ꭺ': 'a', 'Ꭻ': 'j', 'Ꭼ': 'e', 'Ꮃ': 'w', 'Ꮇ': 'm', 'Ꮋ': 'h', 'Ꮐ': 'g', 'Ꮓ': 'z', 'Ꮖ': 'i', 'Ꮞ': '4', 'Ꮢ': 'r', 'Ꮤ': 'w', 'Ꮥ': 's', 'Ꮪ': 's', 'Ꮮ': 'l', 'Ꮯ': 'c', 'Ꮲ': 'p', 'Ꮶ': 'k', 'Ᏼ': 'b', 'Ꭹ': 'y', 'Ꭵ': 'i', 'Ꮩ': 'v',
	'ꓐ': 'b', 'ꓑ': 'p', 'ꓓ': 'd', 'ꓔ': 't', 'ꓖ': 'g', 'ꓗ': 'k', 'ꓙ': 'j', 'ꓚ': 'c', 'ꓜ': 'z', 'ꓝ': 'f', 'ꓟ': 'm', 'ꓠ': 'n', 'ꓡ': 'l', 'ꓢ': 's', 'ꓣ': 'r', 'ꓦ': 'v', 'ꓧ': 'h', 'ꓪ': 'w', 'ꓫ': 'x', 'ꓬ': 'y', 'ꓮ': 'a', 'ꓰ': 'e', 'ꓲ': 'i', 'ꓳ': 'o', 'ꓴ': 'u',
	// zeros of other scripts and circles
	'०': 'o', '০': 'o', '੦': 'o', '૦': 'o', '୦': 'o', '௦': 'o', '౦': 'o', '೦': 'o', '൦': 'o', '๐': 'o', '໐': 'o', '၀': 'o', '٥': 'o', '۵': 'o', '߀': 'o', '〇': 'o', '○': 'o', '◯': 'o', '⚪': 'o', '⭕': 'o',
}

// lookalike is the Latin letter that r is read as. White letters on black discs
// and squares and the letters of flags are in alphabetical order.
func lookalike(r rune) (rune, bool) {
	for _, first := range [...]rune{0x1f150, 0x1f170, 0x1f1e6} {
		if r >= first && r < first+26 {
			return 'A' + r - first, true
		}
	}
	if to, ok := latinFor(r); ok {
		if unicode.IsUpper(r) {
			to = unicode.ToUpper(to)
		}
		return to, true
	}
	if to, ok := latinFor(unicode.ToLower(r)); ok {
		return unicode.ToUpper(to), true
	}
	return r, false
}

// unseen says whether a character takes no room: it must not part a word.
func unseen(r rune) bool { return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) }

// readAs gives text as a hurried reader sees it: compatibility forms, accents
// and look-alike letters folded to Latin, invisible characters dropped. Case
// stays, because CamelCase tells words apart. A word in another script that
// holds letters without a Latin look-alike is read as that script.
func readAs(s string) string {
	if isASCII(s) {
		return s
	}
	var out, run []rune
	flush := func() {
		out = append(out, latin(run)...)
		run = run[:0]
	}
	for _, r := range norm.NFKD.String(s) {
		if unseen(r) {
			continue
		}
		if _, like := lookalike(r); like || unicode.IsLetter(r) && !blank[r] {
			run = append(run, r)
			continue
		}
		flush()
		if blank[r] {
			r = ' '
		}
		out = append(out, r)
	}
	flush()
	return string(out)
}

// blank are letters and signs that are drawn as nothing.
var blank = map[rune]bool{'\u115f': true, '\u1160': true, '\u2800': true, '\u3164': true, '\uffa0': true}

// latin maps the look-alikes of one run of letters, if every one of its
// letters then is Latin.
func latin(run []rune) []rune {
	mapped := make([]rune, len(run))
	for i, r := range run {
		mapped[i], _ = lookalike(r)
	}
	for _, r := range mapped {
		if r >= 0x80 && !isLatinAround(run) {
			return run
		}
	}
	return mapped
}

// isLatinAround says whether a letter that is not Latin stands in a word that
// otherwise is: a script without look-alikes glued to a Latin word.
func isLatinAround(run []rune) bool {
	for _, r := range run {
		if r < 0x80 {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// hasBidiOverride says whether a name holds a character that turns the reading
// direction, which shows "exe.pdf" for "fdp.exe".
func hasBidiOverride(s string) bool {
	return strings.ContainsAny(s, "\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
}

// words splits text into lower-case words: at anything that is no letter or
// digit, between letters and digits, and where CamelCase starts a new word.
// Digits that stand for letters inside a word ("z00m", "te4ms") are read as
// letters.
func words(s string) []string {
	rs := []rune(readAs(s))
	undigit(rs)
	return cut(rs)
}

func cut(rs []rune) []string {
	var out []string
	start := 0
	flush := func(end int) {
		if end > start {
			out = append(out, strings.ToLower(string(rs[start:end])))
		}
		start = end
	}
	for i, r := range rs {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush(i)
			start = i + 1
			continue
		}
		if i == start {
			continue
		}
		prev := rs[i-1]
		switch {
		case prev < 0x80 != (r < 0x80): // Zoom更新
			flush(i)
		case unicode.IsDigit(prev) != unicode.IsDigit(r):
			flush(i)
		case unicode.IsUpper(r) && unicode.IsLower(prev):
			flush(i)
		case unicode.IsUpper(prev) && unicode.IsLower(r) && i-1 > start && unicode.IsUpper(rs[i-2]):
			flush(i - 1) // MSTeams: the last capital starts the next word
		}
	}
	flush(len(rs))
	return out
}

// undigit turns digits between letters into the letters they are read as, if
// at most two stand together: z00m, te4ms, 1nstaller stays.
func undigit(rs []rune) {
	letters := map[rune]rune{'0': 'o', '1': 'l', '3': 'e', '4': 'a', '5': 's', '7': 't'}
	for i := 1; i < len(rs); i++ {
		if !unicode.IsDigit(rs[i]) || !unicode.IsLetter(rs[i-1]) {
			continue
		}
		end := i
		for end < len(rs) && unicode.IsDigit(rs[end]) {
			end++
		}
		if end-i <= 2 && end < len(rs) && unicode.IsLower(rs[end]) && unicode.IsLower(rs[i-1]) || end-i == 2 && rs[i] == rs[i+1] && rs[i] == '0' && end < len(rs) && unicode.IsLetter(rs[end]) {
			for k := i; k < end; k++ {
				if to, ok := letters[rs[k]]; ok {
					rs[k] = to
				}
			}
		}
		i = end
	}
}

// vocabulary is what names of meeting software and its installers are made of
// besides a brand. intent words make an ordinary word beside them a claim.
var (
	intentWords = set(`install installer installation setup update updater updates upgrade upgrader sdk client desktop launcher bootstrapper
		meeting meetings invite invites invitation interview interviews briefing onboarding session schedule scheduler starter runner viewer recorder conference conferencing videoconference webinar call calls audio video microphone camera driver codec extension plugin addin addon
		fix repair support hotfix patch package download downloader workplace rooms room app application messenger joiner join full online host helper
		aktualisierung installieren instalador atualizacao actualizacion reunion besprechung`)
	// of these, those that other makers' hardware and helpers use as well
	deviceWords = set(`session schedule scheduler starter runner viewer recorder briefing onboarding audio video microphone camera driver codec extension plugin addin addon fix repair support package download host helper online full room rooms app call calls`)
	plainWords  = set(`ms microsoft google cisco us uk eu it web win windows mac macos osx linux darwin x64 x86 arm arm64 amd64 i386 universal intel apple silicon
		new latest free pro business enterprise plus premium official release final signed portable offline stable beta v ver version build bit exe msi pkg dmg the for
		and en de fr es ja ko zh admin user file copy tool service system live cloud cdn portal my app hd one next`)
)

// worldIntent are words for install, update, setup, meeting and repair in other
// languages, as stems: a word that holds one speaks of it.
var worldIntent = func() []string {
	var out []string
	for _, w := range strings.Fields(`aktualisier installier reparatur einrichtung besprechung actualiz instal repara reuni atualiz aggiorna riparazione riunione
		mise_a_jour jour installat reparation guncelle kurulum onarim toplanti aktualiz naprawa spotkan bijwerk vergadering cap_nhat sua cai_dat pembaru perbaik
		обновлен установ исправл конференц оновлен встановл 更新 升级 升級 安装 安裝 修复 修復 会议 會議 アップデート インストール 修正 会議 更新 업데이트 설치 수정 회의`) {
		out = append(out, strings.ToLower(readAs(strings.ReplaceAll(w, "_", ""))))
	}
	return out
}()

// speaksOfIntent says whether a word is an intent word of any language.
func speaksOfIntent(w string) bool {
	if intentWords[w] {
		return true
	}
	if len(w) < 5 && isASCII(w) {
		return false
	}
	for _, stem := range worldIntent {
		if len(stem) >= 5 && strings.Contains(w, stem) {
			return true
		}
	}
	return false
}

func set(list string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(list) {
		out[w] = true
	}
	return out
}

// segment cuts a run-together word into known words, the fewest possible, or
// returns it whole: "zoominstallerfull" is zoom, installer, full.
func segment(word string, known func(string) bool) []string {
	if len(word) > 48 || len(word) < 4 || known(word) {
		return []string{word}
	}
	best := make([][]string, len(word)+1)
	best[0] = []string{}
	for end := 1; end <= len(word); end++ {
		for start := max(0, end-24); start < end; start++ {
			if best[start] == nil || end-start < 2 || !known(word[start:end]) {
				continue
			}
			if best[end] == nil || len(best[start])+1 < len(best[end]) {
				best[end] = append(append([]string{}, best[start]...), word[start:end])
			}
		}
	}
	if parts := best[len(word)]; parts != nil {
		return parts
	}
	return []string{word}
}
