package unpack

import (
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
