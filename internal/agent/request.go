package agent

import (
	"meetguard"
	"meetguard/internal/inspect"
)

// The operations that the worker knows.
const (
	opFile    = "file"    // facts of the file that comes with the request
	opFiles   = "files"   // the same for several small files at once, see request.Items
	opPlist   = "plist"   // claims of an Info.plist
	opCommand = "command" // the structure of a command line
	opRules   = "rules"   // what rules are loaded
	opReady   = "ready"   // nothing: does the worker work?
)

// request is what the Inspector asks the Examiner. Files come beside it as open
// descriptors.
type request struct {
	Op      string            `json:"op"`
	Name    []byte            `json:"name,omitempty"` // base name, any bytes
	Origin  inspect.RawOrigin `json:"origin,omitzero"`
	Command string            `json:"command,omitempty"`
	Shell   string            `json:"shell,omitempty"` // extension that fits the interpreter of the command
	Items   []request         `json:"items,omitempty"` // one for each file, in order
}

// reply is the answer: facts, and for some operations a little more.
type reply struct {
	Facts      meetguard.Facts `json:"facts"`
	Executable string          `json:"executable,omitempty"` // CFBundleExecutable of an Info.plist
	Rules      []RuleInfo      `json:"rules,omitempty"`
	Failed     string          `json:"failed,omitempty"` // why the operation could not be done at all
	Items      []reply         `json:"items,omitempty"`
}

// RuleInfo is one YARA rule as `rules list` shows it.
type RuleInfo struct {
	Set  string            `json:"set"`
	Name string            `json:"name"`
	Meta map[string]string `json:"meta"`
}
