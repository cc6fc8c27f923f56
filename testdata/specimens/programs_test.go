package specimens

import (
	"bytes"
	"debug/macho"
	"debug/pe"
	"testing"
)

// TestPrograms has parsers of the standard library read what is built here.
func TestPrograms(t *testing.T) {
	data := peFile([][2]string{{"ProductName", "Zoom"}})
	f, err := pe.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	head, ok := f.OptionalHeader.(*pe.OptionalHeader64)
	rsrc := f.Section(".rsrc")
	if !ok || rsrc == nil || head.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_RESOURCE].VirtualAddress != rsrc.VirtualAddress {
		t.Fatal("the resource section is not where the header says")
	}
	if raw, err := rsrc.Data(); err != nil || !bytes.Contains(raw, utf16le("ProductName\x00")) {
		t.Errorf("the section lacks the product name: %v", err)
	}
	if f, err := pe.NewFile(bytes.NewReader(peFile(nil))); err != nil || len(f.Sections) != 1 {
		t.Errorf("the plain program: %v", err)
	}
	for _, id := range []string{"", "us.zoom.xos"} {
		m, err := macho.NewFile(bytes.NewReader(machoFile(id)))
		if err != nil {
			t.Fatal(err)
		}
		if m.Cpu != macho.CpuArm64 || m.Segment("__TEXT") == nil || (m.Segment("__LINKEDIT") != nil) != (id != "") {
			t.Errorf("signed as %q: %v", id, m.FileHeader)
		}
	}
}
