package people

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a password: at least 12 characters, as a password is the first
// of two factors at best; NIST SP 800-63B asks for 8 and up to 64 or more.
const (
	minPassword      = 12
	maxPassword      = 256
	maxPasswordBytes = 4 * maxPassword
)

// Why a password is refused: each says what to do.
var (
	errShort  = errors.New("the password is too short: take at least 12 characters, as four words that do not belong together")
	errLong   = errors.New("the password is too long: take at most 256 characters")
	errText   = errors.New("the password is not text: it holds control characters or is not UTF-8")
	errName   = errors.New("the password holds the name of the account: take another one")
	errSimple = errors.New("the password is too simple: it repeats few characters or counts them up; take another one")
	errCommon = errors.New("the password is one of the first that are tried: take another one")
)

// CheckPassword tells what is wrong with a new password of the account. There
// are no rules on kinds of characters: they make passwords worse.
func CheckPassword(name, password string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return errText
	case n < minPassword:
		return errShort
	case n > maxPassword:
		return errLong
	}
	lower := strings.ToLower(password)
	name = strings.ToLower(name)
	switch {
	case len(name) >= 3 && strings.Contains(lower, name):
		return errName
	case simple(lower):
		return errSimple
	case common(lower):
		return errCommon
	}
	return nil
}

// simple tells whether a text uses fewer than five characters, or whether most
// of its steps from one character to the next are one up, one down or none.
func simple(text string) bool {
	runes := []rune(text)
	distinct := map[rune]bool{}
	steps := 0
	for i, r := range runes {
		distinct[r] = true
		if i == 0 {
			continue
		}
		if d := r - runes[i-1]; d >= -1 && d <= 1 {
			steps++
		}
	}
	return len(distinct) < 5 || 4*steps >= 3*(len(runes)-1)
}

// common tells whether a text is made of the commonest words alone, also with
// the usual stand-ins for letters: little is left when they are taken away.
func common(text string) bool {
	plain := strings.NewReplacer("@", "a", "$", "s", "0", "o", "1", "i", "3", "e").Replace(text)
	return lettersLeft(text) < 4 || lettersLeft(plain) < 4
}

func lettersLeft(text string) int {
	for _, word := range commonWords() {
		text = strings.ReplaceAll(text, word, "")
	}
	n := 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// commonWords are what the commonest passwords are made of, and the words of
// this product, longest first where one holds another.
func commonWords() []string {
	return strings.Fields(`administrator collector meetguard qwertzuiop qwertyuiop asdfghjkl yxcvbnm zxcvbnm
		passphrase password passwort passwd welcome willkommen changeme letmein iloveyou trustno sunshine princess
		football baseball superman starwars computer internet security monkey dragon master shadow secret default
		company summer sommer winter spring autumn herbst january february april august september october november december
		qwertz qwerty asdfgh azerty qazwsx admin login hello hallo start test root user guest temp abcd abc qwe asd zxc pass love`)
}
