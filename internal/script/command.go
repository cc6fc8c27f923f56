package script

import (
	"path"
	"strings"
)

// wrappers are commands whose arguments are a command, and shell words that a
// command may follow.
var wrappers = map[string]bool{
	"sudo": true, "doas": true, "nohup": true, "env": true, "exec": true, "command": true, "time": true, "builtin": true, "nice": true, "ionice": true,
	"timeout": true, "setsid": true, "busybox": true, "xargs": true, "then": true, "do": true, "else": true, "if": true, "elif": true, "while": true,
	"until": true, "!": true, "{": true, "caffeinate": true, "arch": true, "stdbuf": true, "conhost": true, "start": true, "call": true, "try": true,
}

// commandWords returns the words of the command that a statement runs, without
// what stands around it: sudo, nohup, if, start "" /min …
func commandWords(s *stmt) []string {
	words := s.words
	if s.lang == langBatch {
		words = skipCondition(words)
	}
	for steps := 0; len(words) > 0 && steps < 12; steps++ {
		head := programName(words[0])
		if !wrappers[head] || head == "start" && s.lang != langBatch {
			break
		}
		rest := skipOptions(head, words[1:])
		if len(rest) == 0 || head == "command" && (words[1] == "-v" || words[1] == "-V") || head == "start" && strings.Contains(rest[0], "://") {
			break
		}
		words = rest
	}
	if s.lang == langShell && len(words) > 0 && strings.ContainsAny(words[0], "?*[") {
		if tool := matchedTool(words[0]); tool != "" {
			return append([]string{tool}, words[1:]...)
		}
	}
	return words
}

// matchedTool is the program that a pattern in place of a command finds:
// /usr/bin/c?rl is curl.
func matchedTool(pattern string) string {
	if !strings.Contains(pattern, "/") || len(pattern) > 100 {
		return ""
	}
	base := path.Base(pattern)
	if strings.Trim(base, "?*") == "" {
		return ""
	}
	for _, tool := range []string{"curl", "wget", "bash", "zsh", "sh", "osascript", "python3", "perl", "ruby", "base64", "openssl", "nc", "xxd"} {
		if ok, err := path.Match(base, tool); ok && err == nil {
			return tool
		}
	}
	return ""
}

// skipOptions passes over the options of a wrapper.
func skipOptions(head string, words []string) []string {
	for len(words) > 0 {
		w := words[0]
		switch {
		case head == "start" && (w == "" || strings.HasPrefix(w, "/")):
		case head != "start" && strings.HasPrefix(w, "-"):
			if len(words) > 1 && (w == "-u" || w == "-n" || w == "-I" || w == "-s" && head == "timeout") {
				words = words[1:]
			}
		case head == "timeout" && w != "" && w[0] >= '0' && w[0] <= '9':
		case head == "env" && strings.Contains(w, "="):
		default:
			return words
		}
		words = words[1:]
	}
	return words
}

// skipCondition passes over "if [not] exist X", "if a==b" and "for … do".
func skipCondition(words []string) []string {
	if len(words) > 0 && strings.EqualFold(words[0], "for") {
		for i, w := range words {
			if strings.EqualFold(w, "do") {
				return trimParen(words[i+1:])
			}
		}
		return words
	}
	if len(words) < 3 || !strings.EqualFold(words[0], "if") {
		return words
	}
	words = words[1:]
	for len(words) > 1 && (strings.EqualFold(words[0], "not") || strings.EqualFold(words[0], "/i")) {
		words = words[1:]
	}
	switch strings.ToLower(words[0]) {
	case "exist", "errorlevel", "defined":
		return trimParen(words[min(2, len(words)):])
	}
	return trimParen(words[1:])
}

func trimParen(words []string) []string {
	for len(words) > 0 && strings.Trim(words[0], "(") == "" {
		words = words[1:]
	}
	if len(words) > 0 && words[0][0] == '(' {
		words = append([]string{strings.TrimLeft(words[0], "(")}, words[1:]...)
	}
	return words
}

// programName is the lower-case base name of a program without ".exe" and
// without the version that interpreters carry.
func programName(word string) string {
	for i := len(word) - 1; i >= 0; i-- {
		if word[i] == '/' || word[i] == '\\' {
			word = word[i+1:]
			break
		}
	}
	if len(word) > 40 || word == "" {
		return ""
	}
	if word[0] == '@' {
		word = word[1:]
	}
	word = strings.ToLower(word)
	word = strings.TrimSuffix(word, ".exe")
	if strings.HasPrefix(word, "python") || strings.HasPrefix(word, "pip") || strings.HasPrefix(word, "perl") || strings.HasPrefix(word, "ruby") {
		word = strings.TrimRight(word, "0123456789.")
		if word == "pythonw" {
			return "python"
		}
	}
	return word
}

// urlHost returns the host of the first URL in a word: "" with ok if a URL is
// there but its host is computed.
func urlHost(word string) (host, scheme string, ok bool) {
	n := strings.Index(word, "://")
	if n < 0 {
		return "", "", false
	}
	start := n
	for start > 0 && isSchemeByte(word[start-1]) {
		start--
	}
	scheme = strings.ToLower(word[start:n])
	return hostOf(word[n+3:]), scheme, scheme != "" && scheme != "file"
}

func isSchemeByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '+'
}

// hostOf reads the host at the start of s, "" if a part of it is computed.
func hostOf(s string) string {
	if end := strings.IndexAny(s, "/?#\\\"' \t\n<>)|,;"); end >= 0 {
		s = s[:end]
	}
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		s = s[at+1:]
	}
	if strings.HasPrefix(s, "[") {
		if end := strings.IndexByte(s, ']'); end > 0 {
			return strings.ToLower(s[1:end])
		}
		return ""
	}
	s, _, _ = strings.Cut(s, ":")
	s = strings.ToLower(strings.Trim(s, ".`*_"))
	if len(s) > 253 || s == "" {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; !(isWordByte(c) || c == '.' || c == '-') {
			return ""
		}
	}
	return s
}

// isTempPath tells whether a path lies in a folder for temporary files.
func isTempPath(p string) bool {
	low := strings.ToLower(p)
	for _, t := range []string{"/tmp/", "/var/tmp", "/dev/shm", "$tmp", "${tmp", "%temp%", "%tmp%", "$env:temp", "$env:tmp", `\temp\`, "gettemppath", "$temp", "/var/folders/", "tempfile", `\appdata\local\temp`, "!temp!"} {
		if strings.Contains(low, t) {
			return true
		}
	}
	return low == "/tmp" || strings.HasPrefix(low, "tmp/")
}

// isWritablePath tells whether a path lies where programs of the user write:
// no place that an installer of the system would run programs from.
func isWritablePath(p string) bool {
	low := strings.ToLower(p)
	for _, t := range []string{"/users/shared/", "/library/caches/", "%appdata%", "%localappdata%", "$env:appdata", "$env:localappdata", `\appdata\`, `c:\users\public`, "%public%", "$env:public",
		"/library/application support/", "/downloads/", `\downloads\`, `c:\programdata\`, "%programdata%", "$env:programdata", "/.cache/", "/.config/"} {
		if strings.Contains(low, t) {
			return true
		}
	}
	return isTempPath(p)
}
