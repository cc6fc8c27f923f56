package script

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"io"
	"path"
	"strings"
)

// Limits of an archive that a script carries behind its code.
const (
	maxCarried     = 32       // members that are looked at
	maxCarriedSize = 64 << 10 // bytes of one
)

// carriedArchive reads the scripts of an archive that the script cuts out of
// itself and unpacks: tail -n +9 "$0" | base64 -d | tar -xz. Which of them is
// run afterwards is not asked: they were packed to be.
func (a *analysis) carriedArchive(n int, c context) {
	raw := a.carried(a.stmts[n].producer)
	if packed := unpack(raw); packed != nil {
		raw = packed
	}
	r := tar.NewReader(bytes.NewReader(raw))
	for range maxCarried {
		h, err := r.Next()
		if err != nil {
			return
		}
		data, err := io.ReadAll(io.LimitReader(r, maxCarriedSize))
		if err != nil || h.Typeflag != tar.TypeReg || !isText(data) {
			continue
		}
		language := shebang(data)
		if language == "" {
			language = scriptExtensions[strings.ToLower(path.Ext(h.Name))]
		}
		if language != "" {
			a.layer(language, normalise(string(data)), c.inside(a.stmts[n].pos), 0)
		}
	}
}

// carried are the bytes that statement n, counted from 1, prints of the script
// itself, through base64; nil if it prints others.
func (a *analysis) carried(n int) []byte {
	if n == 0 {
		return nil
	}
	s, encoded := &a.stmts[n-1], false
	if isDecoder(s, false) && s.producer > 0 && s.head != "xxd" && s.head != "base32" {
		s, encoded = &a.stmts[s.producer-1], true
	}
	text, ok := a.ownLines(s)
	if !ok || !encoded {
		return nil // packed bytes as they are do not survive as text
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.Map(dropSpace, text), "="))
	if err != nil {
		return nil
	}
	return raw
}
