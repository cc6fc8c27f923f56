package agent

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"meetguard"
	"meetguard/internal/unpack"
)

// Archives of lures are encrypted so that nobody looks into them, and their
// password is written where the victim finds it. What is written down is tried;
// nothing is guessed.
const (
	maxPasswords = 16      // tried for one container
	maxHintText  = 4 << 10 // bytes of a text that may name a password
	maxHintTexts = 8
	maxPassword  = 64 // bytes
)

// Where a password stood.
const (
	fromName      = "file name"
	fromComment   = "archive comment"
	fromNeighbour = "neighbour name"
	fromText      = "neighbour text"
	fromAround    = "name of the container around"
)

// candidate is a password and where it stood.
type candidate struct{ word, from string }

// withPasswords walks once more to open what was locked.
func (o *opening) withPasswords(first error) error {
	listLocked := errors.Is(first, unpack.ErrLocked)
	tries := o.candidates(listLocked)
	if len(tries) == 0 {
		return first
	}
	words := make([]string, len(tries))
	for i, t := range tries {
		words[i] = t.word
	}
	o.locked = nil
	o.wanted = func(m unpack.Member) bool {
		o.unlocked(tries, m.Password)
		return listLocked || m.Password != ""
	}
	return o.walk(o.format, o.data, o.options(words), o.visit)
}

// unlocked notes where the password stood, never the password.
func (o *opening) unlocked(tries []candidate, word string) {
	if at := slices.IndexFunc(tries, func(t candidate) bool { return t.word == word }); at >= 0 {
		o.f.Unlocked = tries[at].from
	}
}

// candidates are the passwords that are written down around the container, the
// likeliest first.
func (o *opening) candidates(listLocked bool) []candidate {
	var out []candidate
	add := func(from string, words []string) {
		for _, w := range words {
			known := slices.ContainsFunc(out, func(c candidate) bool { return c.word == w })
			if len(out) < maxPasswords && !known {
				out = append(out, candidate{w, from})
			}
		}
	}
	comment := ""
	if o.format == meetguard.FormatZip {
		comment = unpack.ZipComment(o.data)
	}
	names, texts := []string(nil), []string(nil)
	if !listLocked {
		names, texts = o.neighbours()
	}
	for i := o.depth - 1; i >= 0; i-- { // what lies beside it, in the containers around
		n, t := o.ex.unit.around[i].neighbours()
		names, texts = append(names, n...), append(texts, t...)
	}
	for _, h := range o.ex.unit.hints { // and beside the unit on disk
		names, texts = append(names, string(h.Name)), append(texts, string(h.Text))
	}
	add(fromName, namedPasswords(o.name))
	add(fromComment, writtenPasswords(comment))
	for _, text := range texts {
		add(fromText, writtenPasswords(text))
	}
	for _, n := range names {
		add(fromNeighbour, namedPasswords(n))
	}
	for i := o.depth - 1; i >= 0; i-- {
		add(fromAround, namedPasswords(o.ex.unit.around[i].name))
	}
	for _, text := range append(texts, comment) {
		add(fromText, loneWord(text))
	}
	add(fromName, plainWords(o.name))
	return out
}

// hintExt are the texts that a victim is meant to read.
var hintExt = extensions(`txt md nfo diz rtf html htm url readme`)

// neighbours gives the names beside the locked members, and the beginning of the
// texts among them.
func (o *opening) neighbours() (names, texts []string) {
	_ = o.walk(o.format, o.data, o.options(nil), func(m unpack.Member) error {
		base := path.Base(m.Name)
		if passwordWord.MatchString(base) && len(names) < maxPasswords {
			names = append(names, base)
		}
		if ext := strings.ToLower(path.Ext(base)); m.Locked || m.Role != "" || ext != "" && !hintExt[ext] || len(texts) >= maxHintTexts {
			return nil
		}
		if text := hintText(m); text != "" {
			texts = append(texts, text)
		}
		return nil
	})
	return names, texts
}

func hintText(m unpack.Member) string {
	r, err := m.Open()
	if err != nil {
		return ""
	}
	var head [maxHintText]byte
	n, _ := fill(head[:], r)
	if isNoise(head[:n]) {
		return ""
	}
	return strings.ToValidUTF8(string(head[:n]), " ")
}

// What stands before a password, in the languages of the lures. Chinese, Japanese
// and Korean put no space before it.
const (
	spacedWords = `passwords?|passwd|passcode|passwort|kennwort|passphrase|pass|pwd|pw|pin|code|пароль|код|mot de passe|mdp|contraseña|contrasena|clave|senha|parola|hasło|haslo|wachtwoord|şifre|sifre|mật khẩu`
	joinedWords = `パスワード|密码|密碼|解压码|口令|비밀번호|암호`
	anyWord     = `(?i)(?:(?:^|[^\p{L}])(?:` + spacedWords + `)|` + joinedWords + `)`
)

var (
	passwordWord = regexp.MustCompile(anyWord)
	writtenDown  = regexp.MustCompile(anyWord + `[ \t_]*(?:is|ist|est|es|é|jest|это)?[ \t]*[-:：=–—>は为為是]*[ \t]*["'“”«„‘` + "`" + `]?([^\s"'“”»’` + "`" + `<>]{2,64})`)
	inBrackets   = regexp.MustCompile(`[(\[{]([^()\[\]{}]{2,64})[)\]}]`)
	runOfDigits  = regexp.MustCompile(`[0-9]{3,16}`)
)

// namedPasswords are the words of a name that may be a password: what stands
// behind a word for it, what stands in brackets, numbers.
func namedPasswords(name string) []string {
	stem := strings.TrimSuffix(name, path.Ext(name))
	var out []string
	for _, m := range writtenDown.FindAllStringSubmatch(strings.ReplaceAll(stem, "_", " "), -1) {
		out = append(out, untilWordEnds(m[1]))
	}
	for _, m := range inBrackets.FindAllStringSubmatch(stem, -1) {
		out = append(out, m[1])
		if passwordWord.MatchString(m[1]) {
			out = append(out, plainWords(m[1])...)
		}
	}
	return append(out, runOfDigits.FindAllString(stem, -1)...)
}

func untilWordEnds(word string) string {
	if at := strings.IndexAny(word, ")]}"); at > 0 {
		word = word[:at]
	}
	return word
}

// writtenPasswords are what a text calls a password, as it stands there and
// without the mark that ends the sentence.
func writtenPasswords(text string) []string {
	var out []string
	for _, m := range writtenDown.FindAllStringSubmatch(text, maxPasswords) {
		if short := strings.TrimRight(m[1], ".,;!?)]。"); short != "" && short != m[1] {
			out = append(out, short)
		}
		out = append(out, m[1])
	}
	return out
}

// loneWord is the only word of a text.
func loneWord(text string) []string {
	if words := strings.Fields(text); len(words) == 1 && len(words[0]) <= maxPassword {
		return words
	}
	return nil
}

// plainWords are the words of a name.
func plainWords(name string) []string {
	words := strings.FieldsFunc(strings.TrimSuffix(name, path.Ext(name)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.DeleteFunc(words, func(w string) bool { return len(w) > maxPassword })
}
