package script

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// Room for what the user reads, in bytes.
const (
	maxReading = 16 << 10 // of each kind, for the pretexts
	maxBanner  = 2 << 10  // what Analyse returns
)

// reading gathers what the user reads: comments, and texts that the script
// shows.
type reading struct {
	comments, dialogs strings.Builder
}

// comment keeps a comment, rulers and blank ones excepted.
func (r *reading) comment(text string) {
	if r.comments.Len() < maxReading {
		keepText(&r.comments, text)
	}
}

func (r *reading) dialog(text string) {
	if r.dialogs.Len() < maxReading {
		keepText(&r.dialogs, text)
	}
}

func keepText(b *strings.Builder, text string) {
	if strings.IndexByte(text, '\x1e') >= 0 {
		text = withoutMarkers(text)
	}
	text = strings.Trim(text[:min(len(text), maxReading)], " \t\n#*=-_/~+|\\>")
	if text == "" || strings.HasPrefix(text, "/bin/") || strings.HasPrefix(text, "/usr/bin/") {
		return
	}
	b.WriteString(strings.ToValidUTF8(text, ""))
	b.WriteByte('\n')
}

func withoutMarkers(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, markerChar) {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// banner returns the first words of both kinds, each with half of the room.
func (r *reading) banner() string {
	c, d := r.comments.String(), r.dialogs.String()
	d = cutText(d, max(maxBanner/2, maxBanner-len(c)))
	return cutText(c, maxBanner-len(d)) + d
}

// cutText shortens s to at most n bytes without breaking a character.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// The pretexts, as Script.Pretexts names them, and the words for them in
// English, German, French, Spanish, Portuguese, Russian, Ukrainian, Chinese,
// Japanese and Korean; the commoner of them in Italian, Turkish, Polish,
// Vietnamese, Dutch, Indonesian and Hindi too. Stems are cut where the language
// bends them.
var pretextWords = map[string]string{
	"sdk":            "<sdk>|sdk |软件开发工具包|開発キット",
	"update":         "<update|sdkupdate|<updating|aktualisier|mise à jour|mettre à jour|actualiza|atualiza|обновл|оновл|更新|アップデート|업데이트|aggiorna|güncelle|aktualiz|zaktualiz|cập nhật|<bijwerk|<bijgewerkt|<perbarui|<pembaruan|memperbarui|<apdet|uppdater|oppdater|opdater|apdet|update kare|अपडेट|अद्यतन|تحديث",
	"upgrade":        "<upgrad|aufrüst|mise à niveau|mejora|升级|升級|アップグレード|업그레이드|yükselt|<ulepsz|nâng cấp|<tingkatkan",
	"deprecated":     "<deprecat|veraltet|obsolèt|obsolet|устарел|застаріл|弃用|非推奨|지원 중단|<obsoleto|kullanımdan|przestarzał|lỗi thời|<verouderd|<usang",
	"outdated":       "<outdated|out of date|out-of-date|no longer supported|abgelaufen|périmé|desactualizad|desatualizad|过时|過期|古いバージョン|오래된|<scaduto|non aggiornat|<nieaktualn|nieobsługiwan|quá cũ|<kedaluwarsa|süresi dol",
	"audio":          "<audio|<sound>|ton funktioniert|tonproblem|<son>|аудио|звук|音频|音訊|音声|오디오|소리|<suono|<dźwięk|<ses |<sesi|<sesin|<hoparlör|âm thanh|<geluid|<suara|<voice test|<voice check|<voice call|<your voice|<ljud|आवाज|आवाज़|ऑडियो|<awaaz|<awaz|الصوت",
	"microphone":     "<microphone|<mic>|<mics>|mikrofon|micrófono|microfone|микрофон|мікрофон|麦克风|麥克風|マイク|마이크|<microfon|<mikrofon|micrô|<micro bị|<microfoon|<mikropon|माइक|الميكروفون",
	"camera":         "<camera|<webcam|kamera|caméra|cámara|câmera|камер|摄像头|攝影機|カメラ|카메라|<fotocamera|<telecamera|<kamer|máy ảnh|<virtual background|कैमरा|الكاميرا",
	"driver":         "<driver|<drivers>|treiber|pilote|controlador|драйвер|驱动|驅動|ドライバ|드라이버|<sürücü|<sterownik|trình điều khiển|<stuurprogramma|<pengandar|<pemacu|ड्राइवर",
	"codec":          "<codec|кодек|编解码|コーデック|코덱|<kodek",
	"support":        "<support|unterstützung|assistance|soporte|suporte|поддержк|підтримк|支持|支援|サポート|지원|<supporto|<assistenza|<destek|<wsparci|<pomoc|hỗ trợ|<ondersteun|<dukungan|<bantuan|सहायता",
	"fix":            "<fix>|<fixes>|<fixing|<hotfix|<fixer|<resolve|behebe|corriger|arreglar|corregir|corrigir|исправ|виправ|устранен|修正|解决|解決|해결|<corregg|<correzion|<risolv|<düzelt|<napraw|<sửa|khắc phục|<oploss|<verhelp|<perbaik|<memperbaik|<kar theek|theek kar|<thik kar|ठीक",
	"repair":         "<repair|reparier|réparer|répare|reparar|reparo|восстанов|відновл|ремонт|修复|修復|修理|복구|수리|<riparar|<riparaz|<onar|<naprawa|<naprawi|<naprawę|sửa chữa|<herstel|<reparatie|<perbaikan|मरम्मत",
	"extension":      "<extension|erweiterung|extensión|extensão|расширен|розширен|扩展|擴充|拡張|확장|<estension|<uzantı|<eklenti|<rozszerzeni|tiện ích mở rộng|<extensie|<ekstensi",
	"plugin":         "<plugin|<plug-in|<add-on|<addon|complemento|плагин|плагін|插件|外掛|プラグイン|플러그인",
	"meeting":        "<meeting|besprechung|réunion|reunión|reunião|встреч|совещан|зустріч|нарад|会议|會議|ミーティング|회의|<webinar|<waiting room|<recording of the meeting|<meeting recording|<live captions|<riunion|<toplant|<spotkan|<zebran|cuộc họp|<vergader|<rapat|<pertemuan|<webseminar|<webinaire|<вебинар|<вебінар|ウェビナー|网络研讨会|웨비나|<möte|मीटिंग",
	"call":           "<video call|<call>|<calls>|<calling>|videoanruf|<anruf|<appel|llamada|chamada|звонок|звонк|дзвін|通话|通話|통화|<chiamat|<videochiamat|<görüşme|<arama |<rozmow|<połączeni|cuộc gọi|<videobellen|<videogesprek|<panggilan|<videocall|<wideorozmow|वीडियो कॉल|<відеодзвін|<видеозвон",
	"conference":     "<conferenc|konferenz|conférence|conferencia|conferência|конференц|<conferenz|<konferans|<konferencj|hội nghị|<conferentie|<konferensi",
	"interview":      "<interview|vorstellungsgespräch|entretien|entrevista|собеседован|співбесід|面试|面試|面接|면접|<colloquio|<mülakat|<iş görüşme|<rozmowa kwalif|<rozmowy kwalif|phỏng vấn|<sollicitatie|<wawancara|साक्षात्कार|इंटरव्यू",
	"troubleshoot":   "<troubleshoot|<diagnos|fehlerbehebung|problembehebung|dépannage|solución de problemas|solução de problemas|диагностик|неполад|故障排除|疑難排解|トラブルシュ|문제 해결|<risoluzione dei problemi|<sorun gider|<rozwiązywanie problem|khắc phục sự cố|<probleemoploss|<problemen oploss|<pemecahan masalah",
	"verify":         "<verif|<human verification|<captcha|überprüf|vérifi|проверк|подтверд|перевірк|验证|驗證|確認|인증|확인|<doğrula|<zweryfik|<weryfik|xác minh|<verifieer|<controleer|<verifikasi|सत्यापित",
	"compatibility":  "<compatib|kompatib|совместим|сумісн|兼容|相容|互換|호환|<uyumlu|<zgodnoś|tương thích|<kompatibil",
	"install":        "<install|installier|instala|установ|встанов|安装|安裝|インストール|설치|<installa|<yükle|<kurulum|<zainstal|<instalac|cài đặt|<installeer|<pasang|<memasang|<instal",
	"press-run":      "press the ▶|click ▶|▶|press run|click run|press the run|click the run|run button|run this script|cmd+r|cmd-r|⌘r|⌘ r|⌘+r|command-r|command+r|hit run|\"run\" button|ausführen|exécuter|ejecutar|executar|нажмите выполнить|запустить|запустите|натисніть|点击运行|點擊執行|运行按钮|実行|실행|<premere esegui|<premi esegui|clicca esegui|fai clic su esegui|<çalıştır |çalıştır düğme|<kliknij uruchom|<naciśnij uruchom|nhấn chạy|bấm chạy|<klik op uitvoer|<druk op uitvoer|<klik jalankan|<tekan jalankan|<run dabay|run button dabay|натисніть «виконати|<виконати»|pulse ejecutar|haga clic en ejecutar|clique em executar|drücken sie ausführen",
	"paste-terminal": "<paste|open terminal|in terminal|into terminal|in the terminal|win+r|windows+r|windows key|terminal öffnen|einfügen|collez|collar|pega |cole |вставьте|терминал|вставте|粘贴|貼上|终端|貼り付け|ターミナル|붙여넣|터미널|<incolla|<yapıştır|<wklej|<dán |<plak |<tempel",
	"password":       "<password|<passcode|passwort|kennwort|mot de passe|contraseña|senha|парол|密码|密碼|パスワード|비밀번호|암호|<parola|<şifre|<hasło|<hasła|mật khẩu|<wachtwoord|<kata sandi|पासवर्ड",
}

// pretextBook finds the words of all pretexts in one pass.
type pretextBook struct {
	words *matcher
	means []string
	plain []bool // see plainRun
}

// pretexts builds the book once: it never changes.
var pretexts = sync.OnceValue(func() *pretextBook {
	b := &pretextBook{}
	var list []string
	for meaning, words := range pretextWords {
		for w := range strings.SplitSeq(words, "|") {
			list = append(list, w)
			b.means = append(b.means, meaning)
			b.plain = append(b.plain, strings.Contains(plainRun, "|"+w+"|"))
		}
	}
	b.words = newMatcher(list)
	return b
})

// typedIn are the languages whose scripts are started from a command line, or
// by opening them: nobody reads them in a window with a button that runs them, as
// the Script Editor is. "Run this script on every node" is how their makers speak
// to each other, and who sees their messages has a terminal open.
//
// plainRun are the words of press-run that say so without a button.
var (
	typedIn  = map[string]bool{langShell: true, langBatch: true, langPowerShell: true, langPython: true, "perl": true, "ruby": true, "php": true}
	plainRun = "|▶|run this script|ausführen|exécuter|ejecutar|executar|запустить|запустите|実行|실행|"
)

// longScript is how many statements a script has at least in whose comments a call
// is that of a function.
const longScript = 60

// pretexts returns the sorted pretexts that the reader of a script of so many
// statements is given.
func (r *reading) pretexts(language string, steps int) []string {
	book := pretexts()
	found := map[string]bool{}
	typed := typedIn[language]
	for i, text := range []string{r.comments.String(), r.dialogs.String()} {
		text = strings.ToLower(text)
		book.words.scan(text, func(id, at int) {
			switch meaning := book.means[id]; {
			case at > 0 && text[at-1] == '<': // <audio src=…> is a mark, and no word
			case strings.HasPrefix(text[at:], "codecov"): // counts tested lines
			case typed && (meaning == "press-run" && book.plain[id] || meaning == "paste-terminal"):
			case typed && i == 0 && steps > longScript && meaning == "call":
			default:
				found[meaning] = true
			}
		})
	}
	return sortedKeys(found)
}

// shows are the calls that put a text before the user.
var shows = []string{"display dialog", "display alert", "display notification", "msgbox", ".popup", "wscript.echo", "write-host", "write-output", "messagebox", "print>", "<alert>", "write-progress"}

// dialogText keeps the literals of a statement that shows something.
func (a *analysis) dialogText(n int, toks []token) {
	s := &a.stmts[n]
	if s.hits.empty() {
		return
	}
	for _, w := range shows {
		if !a.rules.word(&s.hits, w) {
			continue
		}
		for i := range toks {
			if toks[i].kind == textToken {
				a.user.dialog(toks[i].value())
			}
		}
		return
	}
}
