package agent

import (
	"context"
	"io"
	"path/filepath"
	"strings"
)

// Texts beside a locked archive: people are told its password in one.
const (
	maxBeside = 512      // names of the folder that are looked at
	maxHints  = 8        // texts that are read
	maxNote   = 64 << 10 // bytes; longer texts are no notes
)

// withHints asks once more about a locked container, with the texts that lie
// beside it. Nothing of them is judged or kept.
func (in *Inspector) withHints(ctx context.Context, o *opened, first reply) reply {
	o.request.Hints = in.hintsBeside(o.path)
	if len(o.request.Hints) == 0 {
		return first
	}
	if r, err := in.ask(ctx, o.request, o); err == nil {
		return r
	}
	return first
}

func (in *Inspector) hintsBeside(p string) []hint {
	dir, err := openFolder(filepath.Dir(p))
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(maxBeside) // some names are better than none
	var out []hint
	for _, name := range names {
		if name == filepath.Base(p) || !noteExt[strings.ToLower(filepath.Ext(name))] || len(out) >= maxHints {
			continue
		}
		if text, ok := in.readNote(filepath.Join(filepath.Dir(p), name)); ok {
			out = append(out, hint{[]byte(name), text})
		}
	}
	return out
}

// noteExt are the texts that people open with a double click.
var noteExt = extensions(`txt nfo md rtf html htm url`)

// readNote reads the beginning of a short text.
func (in *Inspector) readNote(p string) ([]byte, bool) {
	f, err := in.open(p)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() || fi.Size() > maxNote || !readsAtOnce(f) {
		return nil, false
	}
	text, err := io.ReadAll(io.LimitReader(f, maxHintText))
	return text, err == nil
}
