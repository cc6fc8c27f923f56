package specimens

import (
	"io/fs"
	"path"
	"sort"
	"strings"
)

// entry is one file that a wrapper holds.
type entry struct {
	name string // path inside the wrapper, with slashes
	data []byte
	mode fs.FileMode
}

// entriesOf gives the files of a specimen, those of a bundle below its name.
func entriesOf(s Specimen) []entry {
	if len(s.Members) == 0 {
		return []entry{{s.Name, s.Data, s.Mode}}
	}
	var out []entry
	for _, m := range s.Members {
		out = append(out, entry{s.Name + "/" + m.Name, m.Data, m.Mode})
	}
	return out
}

// node is a file or folder of a file system image.
type node struct {
	name   string
	data   []byte
	mode   fs.FileMode
	folder bool
	kids   []*node
	parent *node

	id, block int // numbers that an image gives it
}

// treeOf puts entries into folders, sorted by name.
func treeOf(list []entry) *node {
	root := &node{folder: true}
	root.parent = root
	for _, e := range list {
		at := root
		dir, base := path.Split(e.name)
		for _, part := range strings.FieldsFunc(dir, func(r rune) bool { return r == '/' }) {
			at = at.folderNamed(part)
		}
		at.kids = append(at.kids, &node{name: base, data: e.data, mode: e.mode, parent: at})
	}
	root.each(func(n *node) {
		sort.Slice(n.kids, func(i, j int) bool { return n.kids[i].name < n.kids[j].name })
	})
	return root
}

func (n *node) folderNamed(name string) *node {
	for _, k := range n.kids {
		if k.folder && k.name == name {
			return k
		}
	}
	k := &node{name: name, folder: true, parent: n}
	n.kids = append(n.kids, k)
	return k
}

// each visits n and everything below it, parents first.
func (n *node) each(visit func(*node)) {
	visit(n)
	for _, k := range n.kids {
		k.each(visit)
	}
}

// padTo fills b with zeros to a multiple of n.
func padTo(b []byte, n int) []byte { return append(b, make([]byte, align(len(b), n)-len(b))...) }

// must gives what a writer into memory made: such a writer cannot fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
