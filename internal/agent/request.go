package agent

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"meetguard"
	"meetguard/internal/box"
	"meetguard/internal/inspect"
)

// The operations that the worker knows.
const (
	opFile    = "file"    // facts of the file that comes with the request
	opFiles   = "files"   // the same for several small files at once, see request.Items
	opPlist   = "plist"   // claims of an Info.plist
	opApp     = "app"     // the signature and the icon of an app bundle
	opCommand = "command" // the structure of a command line
	opRules   = "rules"   // what rules are loaded
	opReady   = "ready"   // nothing: does the worker work?
)

// request is what the Inspector asks the Examiner. The content of small files
// follows it, larger ones come beside it as open descriptors.
type request struct {
	Op      string                    `json:"op,omitempty"`
	Name    []byte                    `json:"name,omitempty"` // base name, any bytes
	Origin  inspect.RawOrigin         `json:"origin,omitzero"`
	Command string                    `json:"command,omitempty"`
	Shell   string                    `json:"shell,omitempty"`  // extension that fits the interpreter of the command
	Items   []request                 `json:"items,omitempty"`  // opApp: one for each file of the bundle
	Inline  bool                      `json:"inline,omitempty"` // the content follows the request, Size bytes of it
	Size    int                       `json:"size,omitempty"`
	Link    string                    `json:"link,omitempty"`    // opApp: where a link of the bundle points to
	Names   [][]byte                  `json:"names,omitempty"`   // opFiles: base names
	Sizes   []int                     `json:"sizes,omitempty"`   // opFiles: of the contents that follow; -1 for a file that comes as a descriptor
	Origins map[int]inspect.RawOrigin `json:"origins,omitempty"` // opFiles: of those that have one, by place
	All     bool                      `json:"all,omitempty"`     // opApp: the items are every file of the bundle
	Hints   []hint                    `json:"hints,omitempty"`   // opFile: texts beside a locked container
}

// hint is a text that may hold the password of what lies beside it.
type hint struct {
	Name []byte `json:"name"`
	Text []byte `json:"text"` // its beginning
}

// seal is the JSON of a request with its length before it. The content of its
// small files comes behind.
func (r request) seal() ([]byte, error) {
	head, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write a request: %w", err)
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(head)), uint32(len(head))), head...), nil
}

// unseal is the other side of seal. The contents are those of the small files.
func unseal(raw []byte) (r request, contents []byte, err error) {
	if len(raw) < 4 || uint64(binary.BigEndian.Uint32(raw)) > uint64(len(raw)-4) {
		return r, nil, errors.New("read a request: it is cut short")
	}
	n := 4 + int(binary.BigEndian.Uint32(raw))
	if err := json.Unmarshal(raw[4:n], &r); err != nil {
		return r, nil, fmt.Errorf("read a request: %w", err)
	}
	return r, raw[n:], nil
}

// reply is the answer: facts, and for some operations a little more.
type reply struct {
	Facts      meetguard.Facts `json:"facts,omitzero"`
	Plain      string          `json:"plain,omitempty"`      // instead of Facts: there is nothing else to say, see plain
	Plains     []string        `json:"plains,omitempty"`     // opFiles: Plain of each file, in order; "" for one with a reply in Items
	Executable string          `json:"executable,omitempty"` // CFBundleExecutable of an Info.plist
	Icon       string          `json:"icon,omitempty"`       // CFBundleIconFile of it
	Rules      []RuleInfo      `json:"rules,omitempty"`
	Locked     bool            `json:"locked,omitempty"` // opFile: something in it is encrypted, and no password was found
	Failed     string          `json:"failed,omitempty"` // why the operation could not be done at all
	Box        *box.Level      `json:"box,omitempty"`    // opReady, opRules: what the worker is shut in
	Items      []reply         `json:"items,omitempty"`  // opFiles: of the others, in order
}

// plain is all that most files have: neither names nor code nor signature. A
// system has hundreds of thousands of them.
func plain(f *meetguard.Facts) string { return f.SHA256 + " " + string(f.Format) }

// unplain is the other side of plain.
func unplain(text string) meetguard.Facts {
	f := unknownFacts()
	sum, format, _ := strings.Cut(text, " ")
	f.SHA256, f.Format = sum, meetguard.Format(format)
	return f
}

// next gives the reply about file i of a batch. It is called for each in order.
func (r *reply) next(i int) (reply, bool) {
	switch {
	case i >= len(r.Plains):
		return reply{}, false
	case r.Plains[i] != "":
		return reply{Plain: r.Plains[i]}, true
	case len(r.Items) == 0:
		return reply{}, false
	}
	one := r.Items[0]
	r.Items = r.Items[1:]
	return one, true
}

// RuleInfo is one YARA rule as `rules list` shows it.
type RuleInfo struct {
	Set  string            `json:"set"`
	Name string            `json:"name"`
	Meta map[string]string `json:"meta"`
}
