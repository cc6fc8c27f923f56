package unpack

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	// msiClassTransform is the class of a storage that holds the differences
	// between two databases, in the byte order of the file. Patches are made of
	// them.
	msiClassTransform = "\x82\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"

	maxMSICab = 64 << 20 // bytes of a cabinet of which the sectors are scattered
)

// walkMSI visits what an installer package, a merge module or a patch holds:
// the files of its cabinets, by the names that they are installed with; its
// Binary table; and what it runs, as scripts and command lines.
func walkMSI(data []byte, opt Options, visit Visit) error {
	f, err := openCompound(data)
	if err != nil {
		return err
	}
	root, _ := f.entry(0)
	w := &msiWalk{file: f, opt: opt, visit: visit}
	if err := w.storage("", root, 0); err != nil {
		return err
	}
	return w.broken
}

type msiWalk struct {
	file   *compoundFile
	opt    Options
	visit  Visit
	broken error // the first part that could not be listed
}

// lose keeps the first error that does not end the walk.
func (w *msiWalk) lose(what string, err error) {
	if err != nil && w.broken == nil {
		w.broken = fmt.Errorf("read %s: %w", what, err)
	}
}

// storage visits the database that a storage is, and then the storages in it: an
// installer may carry others.
func (w *msiWalk) storage(prefix string, at compoundEntry, depth int) error {
	entries := w.file.children(at.child)
	db, err := openMSIDatabase(w.file, entries)
	if at.classID == msiClassTransform {
		if err := w.transform(prefix, db); err != nil {
			return err
		}
	} else {
		w.lose("the tables of the installer", err)
		if err := w.actions(prefix, db); err != nil {
			return err
		}
	}
	if err := w.contents(prefix, db, entries); err != nil {
		return err
	}
	for _, e := range entries {
		if e.kind == cfbStorage && depth < maxCFBDepth {
			if err := w.storage(prefix+msiStreamName(e.name)+"/", e, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// transform visits the strings of a transform as one text: its rows say how the
// tables of another file change, and mean nothing without it.
func (w *msiWalk) transform(prefix string, db *msiDatabase) error {
	var text strings.Builder
	for id := range db.ends {
		if s := db.text(id + 1); s != "" && text.Len() < maxMSIText {
			text.WriteString(s + "\n")
		}
	}
	return visitText(prefix+"strings.txt", RoleAction, text.String(), w.opt, w.visit)
}

// actions visits what the installer runs.
func (w *msiWalk) actions(prefix string, db *msiDatabase) error {
	return newMSIActions(db).each(func(a msiCommand) error {
		delete(db.streams, a.stream) // no second visit
		role := ""
		if a.reachable {
			role = RoleAction
		}
		return visitText(prefix+a.name, role, a.text, w.opt, w.visit)
	})
}

// contents visits the streams that are not tables.
func (w *msiWalk) contents(prefix string, db *msiDatabase, entries []compoundEntry) error {
	var names map[string]string // of the files in cabinets
	for _, e := range entries {
		name := msiStreamName(e.name)
		if _, left := db.streams[name]; !left || e.kind != cfbStream || strings.HasPrefix(name, "!") || strings.HasPrefix(name, "\x05") {
			continue
		}
		if w.isCabinet(e) {
			if names == nil {
				names = db.fileNames()
			}
			if err := w.cabinet(prefix, name, e, names); err != nil {
				return err
			}
			continue
		}
		for _, table := range []string{"Binary", "Icon"} { // a stream in a table is named by table and key
			if key, ok := strings.CutPrefix(name, table+"."); ok {
				name = table + "/" + key
			}
		}
		if err := w.stream(prefix+name, "", e); err != nil {
			return err
		}
	}
	return nil
}

// stream visits a stream as it is.
func (w *msiWalk) stream(name, role string, e compoundEntry) error {
	if err := w.opt.Budget.Entry(); err != nil {
		return err
	}
	return w.visit(Member{
		Name: name, Role: role, Size: e.size,
		Open: func() (io.Reader, error) { return w.opt.Budget.Reader(w.file.open(e)), nil },
		Head: func() []byte {
			head := make([]byte, maxStubHead)
			n, _ := io.ReadFull(w.file.open(e), head)
			return head[:n]
		},
	})
}

// isCabinet looks at the content: a hostile package need not say in its Media
// table what its custom actions unpack.
func (w *msiWalk) isCabinet(e compoundEntry) bool {
	magic := make([]byte, 4)
	_, err := io.ReadFull(w.file.open(e), magic)
	return err == nil && string(magic) == "MSCF"
}

// cabinet visits the files of a cabinet. There they are named by the key of the
// File table, which says nothing to people and has no suffix.
func (w *msiWalk) cabinet(prefix, name string, e compoundEntry, names map[string]string) error {
	data, err := w.file.whole(e, maxMSICab)
	if err != nil {
		return w.stream(prefix+name, RoleNeeded, e)
	}
	var stop error
	err = walkCab(data, w.opt, func(m Member) error {
		if name := names[m.Name]; name != "" {
			m.Name = name
		}
		m.Name = prefix + m.Name
		stop = w.visit(m)
		return stop
	})
	var limit *LimitError
	switch {
	case stop != nil:
		return stop
	case errors.As(err, &limit):
		return err
	case errors.Is(err, ErrUnsupported):
		return w.stream(prefix+name, RoleNeeded, e)
	}
	w.lose("the cabinet "+name, err)
	return nil
}

// fileNames are the paths that the files are installed to, by their keys.
func (db *msiDatabase) fileNames() map[string]string {
	folders := newMSIFolders(db)
	components := db.table("Component").pairs("Component", "Directory_")
	names := map[string]string{}
	files := db.table("File")
	for row := range files.each() {
		path := folders.path(components[files.text(row, "Component_")]) + msiLongName(files.text(row, "FileName"))
		names[files.text(row, "File")] = strings.ReplaceAll(path, `\`, "/")
	}
	return names
}

// msiLongName is the name that people see of "SHORT~1|long name".
func msiLongName(name string) string {
	if _, long, ok := strings.Cut(name, "|"); ok {
		return long
	}
	return name
}

// msiFolders gives the paths of the Directory table.
type msiFolders struct {
	parents, names map[string]string
	known          map[string]string
}

func newMSIFolders(db *msiDatabase) *msiFolders {
	t := db.table("Directory")
	return &msiFolders{t.pairs("Directory", "Directory_Parent"), t.pairs("Directory", "DefaultDir"), map[string]string{}}
}

// path is the folder with a key, with a backslash at its end. Folders that only
// the machine knows are named by the variable of the environment.
func (f *msiFolders) path(key string) string {
	if path, ok := f.known[key]; ok {
		return path
	}
	var parts []string
	at := key
	for range 32 {
		if known := msiKnownFolder(at); known != "" {
			parts = append(parts, known)
			break
		}
		name, ok := f.names[at]
		if !ok || at == "TARGETDIR" {
			break
		}
		name, _, _ = strings.Cut(name, ":") // target:source
		if name = msiLongName(name); name != "." && name != "" {
			parts = append(parts, name+`\`)
		}
		at = f.parents[at]
	}
	slices.Reverse(parts)
	path := strings.Join(parts, "")
	path = path[:min(len(path), 1024)]
	f.known[key] = path
	return path
}

// msiKnownFolder is what a property of Windows Installer's list of system
// folder properties stands for.
func msiKnownFolder(property string) string {
	switch property {
	case "SystemFolder", "System64Folder", "System16Folder":
		return `%SystemRoot%\System32\`
	case "WindowsFolder":
		return `%SystemRoot%\`
	case "TempFolder":
		return `%TEMP%\`
	case "ProgramFilesFolder", "ProgramFiles64Folder":
		return `%ProgramFiles%\`
	case "CommonFilesFolder", "CommonFiles64Folder":
		return `%CommonProgramFiles%\`
	case "AppDataFolder":
		return `%APPDATA%\`
	case "LocalAppDataFolder":
		return `%LOCALAPPDATA%\`
	case "CommonAppDataFolder":
		return `%ProgramData%\`
	case "DesktopFolder":
		return `%USERPROFILE%\Desktop\`
	case "PersonalFolder":
		return `%USERPROFILE%\Documents\`
	case "StartupFolder":
		return `%APPDATA%\Microsoft\Windows\Start Menu\Programs\Startup\`
	}
	return ""
}
