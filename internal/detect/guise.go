package detect

import (
	"path"
	"strings"
	"unicode"
)

// maxGuises bounds the ways in which one file name is read.
const maxGuises = 8

// guises are the ways in which a file name is read: as its letters are, and as
// a hurried eye takes it. A brand counts in whichever claims it most plainly;
// each way changes the whole name by one rule, so that no rule can be tuned to
// one brand.
func guises(name string) []string {
	out := []string{name}
	add := func(s string) {
		for _, had := range out {
			if had == s {
				return
			}
		}
		if s != "" && len(out) < maxGuises {
			out = append(out, s)
		}
	}
	for _, s := range turned(name) {
		add(s)
	}
	read := readAs(out[len(out)-1])
	add(pressed(read))
	add(tall(read))
	add(lettered(read, 'l'))
	add(lettered(read, 'i'))
	add(joined(read))
	return out
}

// turned reads a name with a right-to-left override as it is shown: what stands
// behind the override comes last letter first. The part before it is read by
// itself too, since the rest is there to look like an extension.
func turned(name string) []string {
	before, behind, ok := strings.Cut(name, "\u202e")
	if !ok {
		return nil
	}
	behind, after, _ := strings.Cut(behind, "\u202c")
	rs := []rune(behind)
	for i, k := 0, len(rs)-1; i < k; i, k = i+1, k-1 {
		rs[i], rs[k] = rs[k], rs[i]
	}
	shown := before + string(rs) + after
	return []string{before + ".exe", plainStem(shown) + path.Ext(name)}
}

// pressed reads pairs of letters that run together in a small font: rn is m, vv
// is w.
func pressed(s string) string { return runTogether.Replace(s) }

var runTogether = strings.NewReplacer("rn", "m", "RN", "M", "vv", "w", "VV", "W")

// tall reads a capital I before a small letter as an l.
func tall(s string) string {
	rs := []rune(s)
	for i := range rs {
		if rs[i] == 'I' && i+1 < len(rs) && unicode.IsLower(rs[i+1]) {
			rs[i] = 'l'
		}
	}
	return string(rs)
}

// leet are digits and signs that are read as letters; 1 is l or i.
var leet = map[rune]rune{'0': 'o', '1': '1', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '$': 's', '@': 'a', '!': 'i', '|': 'l', '€': 'e', '¢': 'c', '£': 'l', '¥': 'y', '§': 's'}

// lettered reads digits and signs as letters wherever a letter follows, and
// letters make up the rest of the word: 5lack, T3AMS, $kype. One at the end of
// a word is a number: team5.
func lettered(s string, one rune) string {
	rs := []rune(s)
	for i := 0; i+1 < len(rs); i++ {
		to, ok := leet[rs[i]]
		if !ok || i > 0 && !unicode.IsLetter(rs[i-1]) && !isSeparator(rs[i-1]) {
			continue
		}
		end := i
		for end < len(rs) && leet[rs[end]] != 0 {
			end++
		}
		if end-i > 2 || end >= len(rs) || !unicode.IsLetter(rs[end]) {
			i = end
			continue
		}
		if to == '1' {
			to = one
		}
		if unicode.IsUpper(rs[end]) {
			to = unicode.ToUpper(to)
		}
		rs[i] = to
	}
	return string(rs)
}

func isSeparator(r rune) bool { return r == ' ' || r == '_' || r == '-' || r == '.' || r == '(' }

// joined reads letters that stand alone, at least three in a row, as one word:
// "T e a m s", "Z.O.O.M".
func joined(s string) string {
	rs := []rune(s)
	var out []rune
	for i := 0; i < len(rs); {
		end, letters := i, 0
		for end < len(rs) && unicode.IsLetter(rs[end]) && (end == i && (i == 0 || !unicode.IsLetter(rs[i-1])) || end > i) {
			if end+1 < len(rs) && unicode.IsLetter(rs[end+1]) {
				break
			}
			letters++
			end++
			if end+1 >= len(rs) || unicode.IsLetter(rs[end]) || unicode.IsDigit(rs[end]) {
				break
			}
			end++
		}
		if letters >= 3 {
			for k := i; k < end; k += 2 {
				out = append(out, rs[k])
			}
			out = append(out, ' ')
			i = end
			continue
		}
		out = append(out, rs[i])
		i++
	}
	return string(out)
}

// plainStem is a name without its extension, and without those of documents
// that are there to be seen: Zoom.pdf.exe, "Zoom.pdf        .exe", "Zoom.exe. ".
func plainStem(name string) string {
	name = strings.TrimRight(name, ". \u00a0\u2003\u2800\u3164\t")
	stem := strings.TrimSuffix(name, path.Ext(name))
	for range 2 {
		stem = strings.TrimRight(stem, ". \u00a0\u2003\u2800\u3164\t")
		ext := path.Ext(stem)
		if lower := strings.ToLower(ext); !documentExt[lower] && !runExt[lower] {
			break
		}
		stem = strings.TrimSuffix(stem, ext)
	}
	return stem
}
