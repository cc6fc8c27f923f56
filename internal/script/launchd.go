package script

import (
	"bytes"
	"html"
	"strings"
)

// launchdCommand returns the command that a property list of launchd starts, if
// a shell or AppleScript reads it: ProgramArguments = [/bin/sh, -c, text].
func launchdCommand(data []byte) (language, command string, ok bool) {
	head := data[:min(len(data), 4096)]
	if !bytes.Contains(head, []byte("<plist")) || !bytes.Contains(data, []byte("<key>Label</key>")) {
		return "", "", false
	}
	_, rest, ok := bytes.Cut(data, []byte("<key>ProgramArguments</key>"))
	if !ok {
		return "", "", false
	}
	list, _, ok := bytes.Cut(rest, []byte("</array>"))
	if !ok || len(list) > maxLayerBytes {
		return "", "", false
	}
	var args []string
	for piece := range bytes.SplitSeq(list, []byte("<string>")) {
		if text, _, closed := bytes.Cut(piece, []byte("</string>")); closed {
			args = append(args, html.UnescapeString(string(text)))
		}
	}
	if len(args) < 3 {
		return "", "", false
	}
	for k, w := range args[1 : len(args)-1] {
		if strings.HasPrefix(w, "-") && (strings.HasSuffix(w, "c") || w == "-e") {
			switch program := programName(args[0]); {
			case program == "sh" || program == "bash" || program == "zsh":
				return langShell, args[k+2], true
			case program == "osascript":
				return langAppleScript, args[k+2], true
			case program == langPython:
				return langPython, args[k+2], true
			}
		}
	}
	return "", "", false
}
