package unpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// makeHFSSample has what the sample of the real tool lacks.
func makeHFSSample() []byte {
	k := newHFSKit("Disk")
	k.folder(hfsRoot, 100, "a:b/c")
	k.folder(hfsRoot, 101, hfsPrivate)
	text := strings.Repeat("some text that is long;", 9000)
	k.file(100, "scattered", 0o100644, 0, "", 0, []byte(text), nil, 2)
	k.file(hfsRoot, "Applications", 0o120755, 0, "slnkrhap", 0, []byte("/Applications"), nil, 1)
	k.file(hfsRoot, "applet", 0o100644, 0, "", 0, nil, []byte("scpt"), 1)
	k.file(101, "iNode77", 0o100644, 0, "", 2, []byte("shared"), nil, 1)
	k.file(101, "iNode78", 0o100644, 0, "", 2, []byte("hidden"), nil, 1)
	k.file(101, "other", 0o100644, 0, "", 2, []byte("hidden"), nil, 1)
	k.file(hfsRoot, "link one", 0o100644, 0, "hlnkhfs+", 77, nil, nil, 1)
	k.file(hfsRoot, "link two", 0o100644, 0, "hlnkhfs+", 77, nil, nil, 1)
	for kind, resource := range map[uint32][]byte{
		4:  zlibResource(decmpfsBlocks([]byte(text), packZlib)),
		8:  offsetResource(decmpfsBlocks([]byte(text), packLZVN)),
		12: offsetResource(decmpfsBlocks([]byte(text), packLZFSEv2)),
	} {
		id := k.file(100, fmt.Sprintf("packed %d", kind), 0o100644, hfsCompressed, "", 0, nil, resource, 4)
		k.attribute(id, decmpfsName, decmpfsAttr(kind, len(text), nil))
	}
	for i := range 60 { // more than one node holds
		k.file(100, fmt.Sprintf("many %02d", i), 0o100644, 0, "", 0, []byte(fmt.Sprint(i)), nil, 1)
	}
	return k.finish()
}

func TestHFSAllKindsOfFile(t *testing.T) {
	data := makeHFSSample()
	if dir := os.Getenv("MEETGUARD_WRITE_DMG"); dir != "" {
		os.WriteFile(dir+"/hfs.img", data, 0o600)
	}
	all, err := walkDMGBytes(data, kitBudget(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("some text that is long;", 9000)
	for _, name := range []string{"scattered", "packed 4", "packed 8", "packed 12"} {
		kitCheck(t, all, "Disk/a:b:c/"+name, "", text)
	}
	kitCheck(t, all, "Disk/a:b:c/many 59", "", "59")
	kitCheck(t, all, "Disk/Applications", RoleLink, "/Applications")
	kitCheck(t, all, "Disk/applet", "", "")
	kitCheck(t, all, "Disk/applet/..namedfork/rsrc", "", "scpt")
	kitCheck(t, all, "Disk/link one", "", "shared")
	kitCheck(t, all, "Disk/link two", RoleLink, "Disk/link one")
	kitCheck(t, all, "Disk/"+hfsPrivate+"/iNode78", "", "hidden")
	kitCheck(t, all, "Disk/"+hfsPrivate+"/other", "", "hidden")
	if len(all) != 2+1+1+2+2+2+3+60 {
		t.Errorf("%d members", len(all))
	}
}

// The leaves of a catalog may be linked in a circle.
func TestHFSLoop(t *testing.T) {
	data := makeHFSSample()
	start := int(binary.BigEndian.Uint32(data[1024+272+16:])) * kitBlock
	leaf := data[start+2*kitBlock:]
	binary.BigEndian.PutUint32(leaf, 1)
	if _, err := walkDMGBytes(data, kitBudget(len(data))); !errors.Is(err, errHFSLoop) {
		t.Errorf("error %v", err)
	}
}

// A file may claim more than its blocks hold, or blocks outside of the volume.
func TestHFSForkOutside(t *testing.T) {
	k := newHFSKit("Disk")
	k.file(hfsRoot, "file", 0o100644, 0, "", 0, []byte("content"), nil, 1)
	record := k.catalog[len(k.catalog)-2].value
	for name, change := range map[string]func(){
		"size":  func() { binary.BigEndian.PutUint64(record[88:], 1<<63) },
		"block": func() { binary.BigEndian.PutUint32(record[88+16:], 0xffffffff) },
	} {
		change()
		data := (&hfsKit{blocks: append([][]byte{}, k.blocks...), catalog: k.catalog, next: k.next}).finish()
		all, err := walkDMGBytes(data, kitBudget(len(data)))
		if err != nil || len(all) != 2 || all[1].err == nil {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
}
