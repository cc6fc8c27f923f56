package sigma

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// literals gives sets of texts in lower case, of each of which one has to stand
// in whatever the expression matches; none if nothing can be said.
func literals(re *regexp.Regexp) [][]string {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	return literalsOf(tree)
}

func literalsOf(re *syntax.Regexp) [][]string {
	switch re.Op {
	case syntax.OpLiteral:
		return runs(re)
	case syntax.OpCapture, syntax.OpPlus:
		return literalsOf(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return literalsOf(re.Sub[0])
		}
	case syntax.OpConcat:
		var out [][]string
		for _, sub := range re.Sub {
			out = append(out, literalsOf(sub)...)
		}
		return out
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			choices := literalsOf(sub)
			if len(choices) == 0 {
				return nil
			}
			all = append(all, slices.MinFunc(choices, func(a, b []string) int { return len(a) - len(b) })...)
		}
		return [][]string{all}
	}
	return nil
}

// runs are the pieces of a literal that look the same in every text that it
// matches, in lower case. Where case does not matter an s may be ſ and a k the
// sign of Kelvin, of which only one is an ASCII letter in lower case.
func runs(re *syntax.Regexp) [][]string {
	folds := re.Flags&syntax.FoldCase != 0
	text := strings.ToLower(string(re.Rune))
	var out [][]string
	for _, piece := range strings.FieldsFunc(text, func(r rune) bool { return r >= 0x80 || folds && (r == 's' || r == 'k') }) {
		if len(piece) >= gram {
			out = append(out, []string{piece})
		}
	}
	return out
}
