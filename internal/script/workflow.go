package script

import (
	"bytes"
	"html"
	"strings"
)

// workflowScript returns the script inside an Automator document
// (document.wflow): the shell command, or the source, of its actions.
func workflowScript(data []byte) (language, text string, ok bool) {
	head := data[:min(len(data), longLook)]
	if !bytes.Contains(head, []byte("AMApplicationBuild")) && !bytes.Contains(head, []byte("AMDocumentVersion")) && !bytes.Contains(head, []byte("<key>ActionParameters</key>")) {
		return "", "", false
	}
	if command := plistTexts(data, "COMMAND_STRING"); command != "" {
		return langShell, command, true
	}
	source := plistTexts(data, "source")
	if source == "" {
		return "", "", false
	}
	if bytes.Contains(data, []byte("Run JavaScript")) {
		return langJXA, source, true
	}
	return langAppleScript, source, true
}

// plistTexts joins the texts of all entries with a name.
func plistTexts(data []byte, key string) string {
	var b strings.Builder
	mark := []byte("<key>" + key + "</key>")
	for b.Len() < maxLayerBytes {
		_, rest, ok := bytes.Cut(data, mark)
		if !ok {
			break
		}
		data = rest
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if text, isText := bytes.CutPrefix(rest, []byte("<string>")); isText {
			text, _, _ = bytes.Cut(text, []byte("</string>"))
			b.WriteString(html.UnescapeString(string(text)))
			b.WriteByte('\n')
		}
	}
	return b.String()
}
