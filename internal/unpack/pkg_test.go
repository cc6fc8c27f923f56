package unpack

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/ulikunitz/xz"
)

func walkPKGBytes(data []byte, budget *Budget) ([]kitSeen, error) {
	return kitWalk(data, budget, func(opt Options, visit Visit) error { return walkPKG(data, opt, visit) })
}

func TestPKGOfRealTools(t *testing.T) {
	for _, name := range []string{"product-gzip", "product-bzip2", "product-xz", "product-lzma", "product-none", "component"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile("testdata/pkg/" + name + ".pkg")
			if err != nil {
				t.Fatal(err)
			}
			all, err := walkPKGBytes(data, kitBudget(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				if s.err != nil || strings.HasSuffix(s.name, "Bom") {
					t.Errorf("%+v", s)
				}
			}
			in := ""
			if name != "component" {
				in = "zoom.pkg/"
				if s := kitFind(t, all, "Distribution"); s.role != RoleScript || s.size != 358 {
					t.Errorf("%+v", s)
				}
				kitCheck(t, all, "Resources", RoleFolder, "")
				kitCheck(t, all, "Resources/preflight", "", "#!/bin/sh\n")
			}
			if s := kitFind(t, all, in+"PackageInfo"); s.role != "" || s.size != 350 {
				t.Errorf("%+v", s)
			}
			kitCheck(t, all, in+"Scripts/preinstall", RoleScript, "#!/bin/sh\necho before\n")
			kitCheck(t, all, in+"Scripts/postinstall", RoleScript, "#!/bin/sh\necho after; ./helper\n")
			kitCheck(t, all, in+"Scripts/helper", RoleScript, "helper")
			kitCheck(t, all, in+"Payload/Library/LaunchAgents/us.zoom.plist", "", "agent")
			kitCheck(t, all, in+"Payload/Applications/Zoom.app/Contents/MacOS/zoom", "", "not a program\n")
			kitCheck(t, all, in+"Payload/Applications/Zoom.app/start", RoleLink, "Contents/MacOS/zoom")
		})
	}
}

// makeXar writes an archive whose table is given as text with a heap behind it.
func makeXar(toc, heap string) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	z.Write([]byte(toc))
	z.Close()
	head := []byte("xar!\x00\x1c\x00\x01")
	head = binary.BigEndian.AppendUint64(head, uint64(packed.Len()))
	head = binary.BigEndian.AppendUint64(head, uint64(len(toc)))
	head = binary.BigEndian.AppendUint32(head, 0)
	return append(append(head, packed.Bytes()...), heap...)
}

// makePKG writes a package of files that are stored as they are.
func makePKG(files []kitFile) []byte {
	var toc, heap strings.Builder
	toc.WriteString(`<?xml version="1.0" encoding="UTF-8"?><xar><toc>`)
	for i, f := range files {
		fmt.Fprintf(&toc, `<file id="%d"><name>%s</name><type>file</type><data><offset>%d</offset><length>%d</length><size>%d</size></data></file>`,
			i+1, f.name, heap.Len(), len(f.data), len(f.data))
		heap.WriteString(f.data)
	}
	toc.WriteString(`</toc></xar>`)
	return makeXar(toc.String(), heap.String())
}

// makePbz packs content into blocks.
func makePbz(kind byte, block int, content []byte, pack func([]byte) []byte) []byte {
	out := binary.BigEndian.AppendUint64([]byte{'p', 'b', 'z', kind}, uint64(block))
	for len(content) > 0 {
		n := min(block, len(content))
		packed := pack(content[:n])
		if len(packed) >= n {
			packed = content[:n]
		}
		out = binary.BigEndian.AppendUint64(out, uint64(n))
		out = binary.BigEndian.AppendUint64(out, uint64(len(packed)))
		out, content = append(out, packed...), content[n:]
	}
	return out
}

func packXZ(plain []byte) []byte {
	var out bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 16}.NewWriter(&out)
	if err != nil {
		panic(err)
	}
	w.Write(plain)
	w.Close()
	return out.Bytes()
}

func packZlib(plain []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(plain)
	w.Close()
	return out.Bytes()
}

func packGzip(plain []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(plain)
	w.Close()
	return out.Bytes()
}

// noise is what cannot be compressed.
func noise(n int) string {
	out, x := make([]byte, n), uint32(1)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return string(out)
}

func TestPKGPayloads(t *testing.T) {
	files := []kitFile{{name: "./a", data: strings.Repeat("text ", 5000)}, {name: "./noise", data: noise(20000)}}
	cpio := makeCpio(files)
	for name, payload := range map[string][]byte{
		"as it is": cpio, "gzip": packGzip(cpio), "xz": packXZ(cpio),
		"pbzx": makePbz('x', 4096, cpio, packXZ), "pbzz": makePbz('z', 4096, cpio, packZlib),
		"one block": makePbz('x', 1<<20, cpio, packXZ),
	} {
		t.Run(name, func(t *testing.T) {
			data := makePKG([]kitFile{{name: "Payload", data: string(payload)}})
			all, err := walkPKGBytes(data, kitBudget(len(data)))
			if err != nil || len(all) != 2 {
				t.Fatalf("%d members, %v", len(all), err)
			}
			for _, f := range files {
				kitCheck(t, all, "Payload/"+f.name[2:], "", f.data)
			}
		})
	}
}

func TestPKGUnknownPayload(t *testing.T) {
	data := makePKG([]kitFile{{name: "Payload", data: "AA01 and more"}, {name: "Scripts", data: string(makeCpio([]kitFile{{name: "postinstall", data: "x"}}))}})
	all, err := walkPKGBytes(data, kitBudget(len(data)))
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "Payload") {
		t.Errorf("error %v", err)
	}
	kitCheck(t, all, "Payload", RoleStream, "AA01 and more")
	kitCheck(t, all, "Scripts/postinstall", RoleScript, "x")
}

func TestPKGBrokenInnerArchive(t *testing.T) {
	cpio := makeCpio([]kitFile{{name: "postinstall", data: "12345"}})
	data := makePKG([]kitFile{{name: "Scripts", data: string(cpio[:len(cpio)-100])}, {name: "PackageInfo", data: "x"}})
	all, err := walkPKGBytes(data, kitBudget(len(data)))
	if !errors.Is(err, errCpioShort) {
		t.Errorf("error %v", err)
	}
	kitCheck(t, all, "PackageInfo", "", "x")
}

// A folder may hold the scripts too, and names may be encoded.
func TestPKGFolderOfScripts(t *testing.T) {
	toc := `<xar><toc><file id="1"><file id="2"><data><length>4</length><offset>1</offset><size>4</size></data><type>file</type>` +
		`<name enctype="base64">cG9zdGluc3RhbGw=</name></file><name>Scripts</name><type>directory</type></file>` +
		`<file id="3"><type>symlink</type><name>go</name><link type="directory">/Applications</link></file></toc></xar>`
	data := makeXar(toc, "-body-")
	all, err := walkPKGBytes(data, kitBudget(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	kitCheck(t, all, "Scripts/postinstall", RoleScript, "body")
	kitCheck(t, all, "go", RoleLink, "/Applications")
}

func TestPKGHostile(t *testing.T) {
	deep := strings.Repeat("<file>", 100) + strings.Repeat("</file>", 100)
	many := strings.Repeat("<file><name>x</name></file>", 1<<12+1)
	tests := map[string][]byte{
		"empty":       nil,
		"header only": []byte("xar!\x00\x1c\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"),
		"deep":        makeXar("<xar><toc>"+deep+"</toc></xar>", ""),
		"many":        makeXar("<xar><toc>"+many+"</toc></xar>", ""),
		"large table": makeXar("<xar><toc>"+strings.Repeat(" ", maxXarTOC)+"</toc></xar>", ""),
		"no end":      makeXar("<xar><toc>", ""),
		"crossed":     makeXar("<xar><toc><file></toc></file></xar>", ""),
	}
	for name, data := range tests {
		budget := kitBudget(len(data))
		budget.Entries = 1 << 12
		if all, err := walkPKGBytes(data, budget); err == nil {
			t.Errorf("%s: no error, %d members", name, len(all))
		}
	}
	data := makeXar(`<xar><toc><file><name>x</name><data><offset>9223372036854775807</offset><length>9223372036854775807</length></data></file></toc></xar>`, "heap")
	all, err := walkPKGBytes(data, kitBudget(len(data)))
	if err != nil || len(all) != 1 || all[0].err == nil {
		t.Errorf("content outside of the package: %+v, %v", all, err)
	}
}

func TestPKGBomb(t *testing.T) {
	zeros := make([]byte, 16<<20)
	data := makePKG([]kitFile{{name: "Payload", data: string(packGzip(zeros))}})
	budget := kitBudget(len(data))
	budget.Bytes = 1 << 20
	if _, err := walkPKGBytes(data, budget); err == nil {
		t.Error("no error")
	}
	cpio := makeCpio([]kitFile{{name: "zeros", data: string(zeros)}})
	data = makePKG([]kitFile{{name: "Payload", data: string(packGzip(cpio))}})
	budget = kitBudget(len(data))
	budget.Ratio = 100
	var limit *LimitError
	if _, err := walkPKGBytes(data, budget); !errors.As(err, &limit) {
		t.Errorf("error %v", err)
	}
}

// Every byte of a small package is changed, and it is cut at every place.
func TestPKGDamaged(t *testing.T) {
	data, err := os.ReadFile("testdata/pkg/product-gzip.pkg")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(data); i += 3 {
		changed := bytes.Clone(data)
		changed[i] ^= 0xff
		walkPKGBytes(changed, kitBudget(len(data)))
		if i < xarHeader+1000 {
			if _, err := walkPKGBytes(data[:i], kitBudget(i)); err == nil {
				t.Fatalf("cut at %d: no error", i)
			}
		}
	}
}

func FuzzPKG(f *testing.F) {
	files, _ := filepath.Glob("testdata/pkg/*.pkg")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(makePKG([]kitFile{{name: "Payload", data: string(makePbz('x', 64, makeCpio([]kitFile{{name: "a", data: "b"}}), packXZ))}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		budget := kitBudget(len(data))
		budget.Bytes, budget.Entries = 1<<20, 1000
		walkPKGBytes(data, budget)
	})
}
