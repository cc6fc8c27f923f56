package specimens

import (
	"archive/zip"
	"bytes"
	"path"
)

// archives puts lures of each family into archives, as they are sent: alone,
// or in a folder beside an honest read-me.
func (b *kit) archives() {
	taken := map[string]int{}
	for _, s := range b.list {
		if taken[s.Family] >= 2 || s.Language == "html" || path.Ext(s.Name) == ".url" || path.Ext(s.Name) == ".webloc" {
			continue
		}
		taken[s.Family]++
		z := s
		z.Wrapper, z.Members, z.Mode = "zip of "+s.Wrapper, nil, 0o644
		z.Name, z.Data = "package.zip", pack(s, "")
		if taken[s.Family] == 2 {
			z.Wrapper = "zip with a folder"
			z.Name, z.Data = "meeting_files.zip", pack(s, "meeting files/")
		}
		b.list = append(b.list, z)
	}
	// an archive in an archive
	inner := Specimen{Name: "inner.zip", Data: pack(b.list[0], ""), Mode: 0o644}
	outer := b.list[0]
	outer.Wrapper, outer.Name, outer.Data, outer.Mode = "zip in a zip", "package.zip", pack(inner, "files/"), 0o644
	b.list = append(b.list, outer)
}

// pack makes an archive of s in folder. The entries bear no time.
func pack(s Specimen, folder string) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	add := func(name string, data []byte) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
	}
	if folder != "" {
		add(folder+"README.txt", []byte("Open the update and follow the steps. See you in the call.\n"))
	}
	if len(s.Members) == 0 {
		add(folder+s.Name, s.Data)
	}
	for _, m := range s.Members {
		add(folder+s.Name+"/"+m.Name, m.Data)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}
