package agent

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"meetguard"
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
	Op      string            `json:"op"`
	Name    []byte            `json:"name,omitempty"` // base name, any bytes
	Origin  inspect.RawOrigin `json:"origin,omitzero"`
	Command string            `json:"command,omitempty"`
	Shell   string            `json:"shell,omitempty"`  // extension that fits the interpreter of the command
	Items   []request         `json:"items,omitempty"`  // one for each file, in order
	Inline  bool              `json:"inline,omitempty"` // the content follows the request, Size bytes of it
	Size    int               `json:"size,omitempty"`
	Link    string            `json:"link,omitempty"` // opApp: where a link of the bundle points to
	All     bool              `json:"all,omitempty"`  // opApp: the items are every file of the bundle
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
	Plain      *plain          `json:"plain,omitempty"`      // instead of Facts: there is nothing else to say
	Executable string          `json:"executable,omitempty"` // CFBundleExecutable of an Info.plist
	Icon       string          `json:"icon,omitempty"`       // CFBundleIconFile of it
	Rules      []RuleInfo      `json:"rules,omitempty"`
	Failed     string          `json:"failed,omitempty"` // why the operation could not be done at all
	Items      []reply         `json:"items,omitempty"`
}

// plain is all that most files have: neither names nor code nor signature. A
// system has hundreds of thousands of them.
type plain struct {
	SHA256 string           `json:"sha256"`
	Format meetguard.Format `json:"format"`
}

// RuleInfo is one YARA rule as `rules list` shows it.
type RuleInfo struct {
	Set  string            `json:"set"`
	Name string            `json:"name"`
	Meta map[string]string `json:"meta"`
}
