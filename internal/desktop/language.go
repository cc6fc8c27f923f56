package desktop

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// choose gives the one of the offered languages that fits a reader best. locales
// are those of the reader, best first, in the form of POSIX (de_AT.UTF-8@euro)
// or BCP 47 (zh-Hans-CN). Without a fit it is the first that is offered.
func choose(locales, offered []string) string {
	if len(offered) == 0 {
		return ""
	}
	tags := make([]language.Tag, len(offered))
	for i, o := range offered {
		tags[i] = language.Make(o)
	}
	var wanted []language.Tag
	for _, l := range locales {
		if t, ok := tagOf(l); ok {
			wanted = append(wanted, t)
		}
	}
	_, at, confidence := language.NewMatcher(tags).Match(wanted...)
	if confidence == language.No {
		at = 0
	}
	return offered[at]
}

func tagOf(locale string) (language.Tag, bool) {
	locale, _, _ = strings.Cut(locale, ".")
	locale, _, _ = strings.Cut(locale, "@")
	locale = strings.ReplaceAll(strings.TrimSpace(locale), "_", "-")
	if locale == "" || len(locale) > 64 || slices.Contains([]string{"C", "POSIX"}, locale) {
		return language.Tag{}, false
	}
	t, err := language.Parse(locale)
	return t, err == nil
}

// localesOf gives the locales for messages of an environment, best first: those
// of LANGUAGE, where the locale is not C, and the locale itself (gettext,
// "Locale Environment Variables").
func localesOf(environ []string) []string {
	value := func(name string) string {
		for _, line := range environ {
			if v, ok := strings.CutPrefix(line, name+"="); ok && v != "" {
				return strings.Trim(v, `"'`)
			}
		}
		return ""
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		locale := value(name)
		if locale == "" {
			continue
		}
		if _, ok := tagOf(locale); !ok {
			return nil
		}
		return append(strings.FieldsFunc(value("LANGUAGE"), func(r rune) bool { return r == ':' }), locale)
	}
	return nil
}
