package unpack

import (
	"io"
	"strings"
)

const (
	maxMSIText   = 1 << 20  // bytes of the text of one custom action
	maxMSIFormat = 32 << 20 // bytes of formatted text that are looked at in one database
)

// What a custom action does is in the lower bits of its type: how, and where
// the program or script stands ("Summary List of All Custom Action Types" of
// the Windows Installer documentation).
const (
	msiActionExe      = 2
	msiActionSetter   = 3 // with msiInProperty: type 51
	msiActionJScript  = 5
	msiActionVBScript = 6

	msiInBinary    = 0x00
	msiInFile      = 0x10
	msiInDirectory = 0x20 // for scripts: in the row itself
	msiInProperty  = 0x30
)

// msiCommand is what a custom action runs, as text.
type msiCommand struct {
	name, text string
	reachable  bool   // a sequence or a button runs it
	stream     string // of the Binary table, if that is the text
}

// msiActions resolves the custom actions of a database.
type msiActions struct {
	db         *msiDatabase
	table      *msiTable
	properties map[string]string // of the Property table
	setters    map[string]string // unformatted values that actions give to properties
	files      map[string]string // paths by key, once they are needed
	folders    *msiFolders
	reachable  map[string]bool
	runners    map[string]bool // actions that run something
	formatted  int             // bytes that format has seen
}

func newMSIActions(db *msiDatabase) *msiActions {
	a := &msiActions{db: db, table: db.table("CustomAction"), setters: map[string]string{},
		reachable: map[string]bool{}, runners: map[string]bool{}}
	if a.table.rows == 0 {
		return a
	}
	a.properties = db.table("Property").pairs("Property", "Value")
	a.folders = newMSIFolders(db)
	for row := range a.table.each() {
		if kind := a.kind(row); kind == msiActionSetter|msiInProperty {
			a.setters[a.table.text(row, "Source")] = a.table.text(row, "Target")
		} else {
			a.runners[a.table.text(row, "Action")] = true
		}
	}
	a.findReachable()
	return a
}

// kind is the type of a row without the options of its execution.
func (a *msiActions) kind(row int) int { return a.table.number(row, "Type") & 0x37 }

// findReachable lists the actions that a sequence or a button of the dialogs
// runs.
func (a *msiActions) findReachable() {
	for _, name := range []string{"InstallExecuteSequence", "InstallUISequence", "AdminExecuteSequence",
		"AdminUISequence", "AdvtExecuteSequence", "AdvtUISequence"} {
		t := a.db.table(name)
		for row := range t.each() {
			a.reachable[t.text(row, "Action")] = true
		}
	}
	t := a.db.table("ControlEvent")
	for row := range t.each() {
		if t.text(row, "Event") == "DoAction" {
			a.reachable[t.text(row, "Argument")] = true
		}
	}
}

// each visits every action that runs something.
func (a *msiActions) each(visit func(msiCommand) error) error {
	for row := range a.table.each() {
		name := a.table.text(row, "Action")
		text, suffix := a.resolve(row)
		if text == "" {
			continue
		}
		command := msiCommand{name: name + suffix, text: text, reachable: a.reachable[name]}
		if suffix != ".cmd" && a.kind(row)&0x30 == msiInBinary {
			command.stream = "Binary." + a.table.text(row, "Source")
		}
		if err := visit(command); err != nil {
			return err
		}
	}
	return nil
}

// resolve is the script or the command line of an action, and the suffix that
// such a text has as a file.
func (a *msiActions) resolve(row int) (text, suffix string) {
	kind, source, target := a.kind(row), a.table.text(row, "Source"), a.table.text(row, "Target")
	switch kind & 7 {
	case msiActionJScript:
		return a.script(kind, source, target), ".js"
	case msiActionVBScript:
		return a.script(kind, source, target), ".vbs"
	case msiActionExe:
		return a.command(kind, source, target), ".cmd"
	case msiActionSetter:
		if kind&msiInProperty == msiInProperty && a.isCommand(source) {
			return a.format(target, 2), ".cmd"
		}
	}
	return "", ""
}

// script is the text of a script action. A script that is an installed file is
// visited as that file.
func (a *msiActions) script(kind int, source, target string) string {
	switch kind & 0x30 {
	case msiInBinary:
		e, ok := a.db.streams["Binary."+source]
		if !ok {
			return ""
		}
		text, _ := io.ReadAll(io.LimitReader(a.db.file.open(e), maxMSIText))
		return string(text)
	case msiInDirectory:
		return target
	case msiInProperty:
		return a.property(source, 2)
	}
	return ""
}

// command is the command line of a program action.
func (a *msiActions) command(kind int, source, target string) string {
	arguments := a.format(target, 2)
	switch kind & 0x30 {
	case msiInBinary:
		return `"Binary\` + source + `" ` + arguments
	case msiInFile:
		return `"` + a.file(source) + `" ` + arguments
	case msiInProperty:
		return a.property(source, 2) + " " + arguments
	}
	return arguments
}

// isCommand tells if what a property is set to is run by code that the
// installer brings: the data of a deferred action, or the command line of the
// quiet execution actions of WiX (WixQuietExecCmdLine, QtExecCmdLine).
func (a *msiActions) isCommand(property string) bool {
	lower := strings.ToLower(property)
	return a.runners[property] || strings.Contains(lower, "cmdline") || strings.Contains(lower, "commandline")
}

func (a *msiActions) file(key string) string {
	if a.files == nil {
		a.files = a.db.fileNames()
	}
	return strings.ReplaceAll(a.files[key], "/", `\`)
}

// property is the value of a property, as far as the tables tell: an action
// that sets it goes before the Property table. Values are formatted depth
// levels deep.
func (a *msiActions) property(name string, depth int) string {
	if value, ok := a.setters[name]; ok && depth > 0 {
		return a.format(value, depth-1)
	}
	if value, ok := a.properties[name]; ok {
		return value
	}
	return a.folders.path(name)
}

// format replaces the references of a formatted text: [property], [#file],
// [%variable] and [\c]. What is not known stays as it is.
func (a *msiActions) format(text string, depth int) string {
	if a.formatted += len(text); a.formatted > maxMSIFormat {
		return text[:min(len(text), maxMSIText)]
	}
	var out strings.Builder
	for out.Len() < maxMSIText {
		before, rest, found := strings.Cut(text, "[")
		reference, after, closed := strings.Cut(rest, "]")
		out.WriteString(before)
		if !found || !closed {
			out.WriteString(text[len(before):])
			break
		}
		if reference == `\` && strings.HasPrefix(after, "]") { // [\]] is a bracket
			reference, after = `\]`, after[1:]
		}
		out.WriteString(a.reference(reference, depth))
		text = after
	}
	return out.String()[:min(out.Len(), maxMSIText)]
}

// reference is what stands for the reference between two brackets.
func (a *msiActions) reference(name string, depth int) string {
	if name == "" {
		return "[]"
	}
	switch name[0] {
	case '\\':
		return name[1:]
	case '#', '!':
		if path := a.file(name[1:]); path != "" {
			return path
		}
	case '%':
		return name + "%"
	case '~':
		return " "
	default:
		if value := a.property(name, depth); value != "" {
			return value
		}
	}
	return "[" + name + "]"
}
