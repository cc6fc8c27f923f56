package unpack

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// sampleFiles are those of the sample volume that a real tool made.
func sampleFiles() []kitFile {
	files := []kitFile{
		{name: "Zoom.app/Contents/MacOS/zoom", data: "not a program\n"},
		{name: ".background/a.png", data: strings.Repeat("A", 200000)},
		{name: "Applications", data: "/Applications", mode: 0o120777},
		{name: ".DS_Store", data: "store"},
		{name: "empty"},
		{name: "Prüfung.txt", data: "ü"},
	}
	for i := range 100 { // more than one node holds
		files = append(files, kitFile{name: fmt.Sprintf("many/%03d", i), data: fmt.Sprint(i)})
	}
	return files
}

func TestAPFS(t *testing.T) {
	k := newAPFSKit()
	k.addFiles(sampleFiles())
	data := k.finish("Zoom Installer", apfsUnencrypted)
	if dir := os.Getenv("MEETGUARD_WRITE_DMG"); dir != "" {
		os.WriteFile(dir+"/apfs.img", data, 0o600)
	}
	all, err := walkDMGBytes(data, kitBudget(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	checkVolume(t, all)
	kitCheck(t, all, "Zoom Installer/many/099", "", "99")
	kitCheck(t, all, "Zoom Installer/Prüfung.txt", "", "ü")
	if len(all) != 1+5+106 {
		t.Errorf("%d members", len(all))
	}
}

// A real container, which is empty.
func TestAPFSOfRealTool(t *testing.T) {
	data, err := os.ReadFile("testdata/dmg/mkapfs.dmg")
	if err != nil {
		t.Fatal(err)
	}
	budget := kitBudget(len(data))
	all, err := walkDMGBytes(data, budget)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d members, %v", len(all), err)
	}
	kitCheck(t, all, "Zoom Installer", RoleFolder, "")
}

// The newest superblock counts, not that of block 0, if its checksum is right.
func TestAPFSNewestCheckpoint(t *testing.T) {
	k := newAPFSKit()
	k.addFiles([]kitFile{{name: "a", data: "1"}})
	data := k.finish("Volume", apfsUnencrypted)
	first := data[:kitBlock]
	le.PutUint64(first[160:], 0) // no map of objects
	le.PutUint64(first[16:], 0)  // an older transaction
	all, err := walkDMGBytes(data, kitBudget(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	kitCheck(t, all, "Volume/a", "", "1")
	data[2*kitBlock+200] ^= 1
	if _, err := walkDMGBytes(data, kitBudget(len(data))); err == nil {
		t.Error("a superblock with a wrong checksum counts")
	}
}

func TestAPFSEncrypted(t *testing.T) {
	k := newAPFSKit()
	k.addFiles([]kitFile{{name: "a", data: "1"}})
	data := k.finish("Volume", 0)
	all, err := walkDMGBytes(data, kitBudget(len(data)))
	if !errors.Is(err, ErrLocked) || len(all) != 1 || !all[0].locked {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestAPFSHardLinksAndHoles(t *testing.T) {
	k := newAPFSKit()
	k.inode(16, 2, "first", 0o100644, 0, 3*kitBlock)
	k.add(16, apfsExtent, joinLE(uint64(kitBlock)), joinLE(uint64(kitBlock), uint64(len(k.blocks)), uint64(0)))
	k.blocks = append(k.blocks, []byte(strings.Repeat("x", kitBlock)))
	k.add(16, apfsExtent, joinLE(uint64(2*kitBlock)), joinLE(uint64(kitBlock), uint64(0), uint64(0)))
	k.entry(2, 16, "first", 8)
	k.entry(2, 16, "second", 8)
	k.next = 17
	data := k.finish("Volume", apfsUnencrypted)
	all, err := walkDMGBytes(data, kitBudget(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	zeros := strings.Repeat("\x00", kitBlock)
	kitCheck(t, all, "Volume/first", "", zeros+strings.Repeat("x", kitBlock)+zeros)
	kitCheck(t, all, "Volume/second", RoleLink, "Volume/first")
}

// A tree whose node is its own child.
func TestAPFSLoop(t *testing.T) {
	k := newAPFSKit()
	k.addFiles(sampleFiles())
	data := k.finish("Volume", apfsUnencrypted)
	for at := 0; at < len(data); at += kitBlock {
		if le.Uint64(data[at+8:]) == 2001 { // the first leaf
			copy(data[at:at+kitBlock], findBlock(data, 2000))
		}
	}
	if _, err := walkDMGBytes(data, kitBudget(len(data))); !errors.Is(err, errAPFSTree) {
		t.Errorf("error %v", err)
	}
}

func findBlock(data []byte, oid uint64) []byte {
	for at := 0; at < len(data); at += kitBlock {
		if le.Uint64(data[at+8:]) == oid {
			return data[at : at+kitBlock]
		}
	}
	return nil
}
