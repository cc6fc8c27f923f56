package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What a text of the bundle may not hold.
var (
	reToken  = regexp.MustCompile(`mgenroll_\S*`)
	reSecret = regexp.MustCompile(`(?i)\b(bearer|authorization|password|passwd|token|secret|key)\b["']?\s*[:= ]\s*\S+`)
	reLong   = regexp.MustCompile(`[A-Za-z0-9+/_=-]{40,}`) // keys and tokens in any coding
	rePEM    = regexp.MustCompile(`(?s)-----BEGIN.*`)
	reURL    = regexp.MustCompile(`([a-z][a-z0-9+.-]*://)(?:[^/\s"'@]*@)?([^/\s"'?#:]+)(:[0-9]+)?[^\s"']*`)
	rePath   = regexp.MustCompile(`(^|[^A-Za-z0-9._/-])((?:[A-Za-z]:\\|\\\\|~?/)[^\n]*)`)
)

// scrub takes out of a text what could name a person or open a door. Where a
// path of somebody begins, the rest of the text goes with it, up to the end of
// its quotes: a path may hold blanks, and a bit of reason lost is better than a
// name told.
func scrub(s string) string {
	s = rePEM.ReplaceAllString(s, "<key>")
	s = reToken.ReplaceAllString(s, "<token>")
	s = reURL.ReplaceAllString(s, "$1$2$3")
	urls := strings.NewReplacer("://", "\x00")
	s = scrubPaths(urls.Replace(s))
	s = strings.ReplaceAll(s, "\x00", "://")
	s = reSecret.ReplaceAllString(s, "$1 <secret>")
	return reLong.ReplaceAllString(s, "<long>")
}

func scrubPaths(s string) string {
	m := rePath.FindStringSubmatchIndex(s)
	if m == nil {
		return s
	}
	before, path := s[:m[4]], s[m[4]:]
	end := len(path)
	if quote := s[m[2]:m[3]]; quote == `"` || quote == "'" {
		if i := strings.Index(path, quote); i >= 0 {
			end = i
		}
	} else if keptPath(path) {
		if i := strings.IndexAny(path, " \t\"',;"); i >= 0 {
			end = i
		}
	}
	if keptPath(path) {
		return before + path[:end] + scrubPaths(path[end:])
	}
	return before + "<path>" + scrubPaths(path[end:])
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Bounds of the log that goes into a bundle.
const (
	logLines = 200
	logBytes = 1 << 20

	maxLogLine = 4 << 10 // bytes of a line that are looked at
)

// logPart is the end of the service's log, line by line what logLine leaves.
func logPart(ctx context.Context, file string) string {
	text, err := readLog(ctx, file)
	if err != nil {
		return "the log cannot be read: " + scrub(err.Error()) + "\n"
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[max(0, len(lines)-logLines):]
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(logLine(line) + "\n")
	}
	return b.String()
}

func readLog(ctx context.Context, file string) (string, error) {
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		if fi, err := f.Stat(); err == nil && fi.Size() > logBytes {
			if _, err := f.Seek(-logBytes, io.SeekEnd); err != nil {
				return "", err
			}
		}
		data, err := io.ReadAll(io.LimitReader(f, logBytes))
		return string(data), err
	}
	journal, err := exec.LookPath("journalctl")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, journal, "-u", "meetguard", "-n", strconv.Itoa(logLines), "-o", "cat", "--no-pager", "-q").Output()
	return string(out), err
}

// logKeys are the attributes of a log line that are kept, scrubbed. Whatever is
// not listed is left out: paths, evidence, names.
var logKeys = map[string]bool{"time": true, "level": true, "msg": true, "source": true, "state": true, "err": true, "error": true, "reason": true, "in": true, "version": true, "rules": true, "rule": true,
	"pending": true, "changed": true, "needs_restart": true, "key": true, "files": true, "launches": true, "collector": true, "identity": true, "instead": true, "torn_bytes": true, "corrupt": true, "cursor_reset": true}

// logLine keeps of one line what logKeys name. Of a line in another form only
// that it was there is told.
func logLine(line string) string {
	var out []string
	line = line[:min(len(line), maxLogLine)]
	for _, a := range attributes(line) {
		if logKeys[a[0]] && (a[0] != "state" || isState(a[1])) {
			out = append(out, a[0]+"="+strconv.Quote(scrub(a[1])))
		}
	}
	if len(out) == 0 {
		return "<a line in another form>"
	}
	return strings.Join(out, " ")
}

// isState tells the state of a source from the state folder, which are logged
// under one key.
func isState(s string) bool { return s == "ok" || s == "degraded" || s == "failed" }

// attributes reads the form of slog's text handler: key=value, where a value may
// be quoted as in Go.
func attributes(line string) [][2]string {
	var out [][2]string
	for line != "" {
		key, rest, ok := strings.Cut(line, "=")
		if !ok {
			return out
		}
		value, err := strconv.QuotedPrefix(rest)
		if err == nil {
			rest = rest[len(value):]
			value, _ = strconv.Unquote(value)
		} else {
			value, rest, _ = strings.Cut(rest, " ")
		}
		out = append(out, [2]string{strings.TrimSpace(key), value})
		line = strings.TrimPrefix(rest, " ")
	}
	return out
}
