package unpack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func walkCpioBytes(data []byte, budget *Budget) ([]kitSeen, error) {
	return kitWalk(data, budget, func(opt Options, visit Visit) error {
		return walkCpio(budget.Reader(bytes.NewReader(data)), opt, visit)
	})
}

func TestCpioOfRealTools(t *testing.T) {
	files, err := filepath.Glob("testdata/cpio/*.cpio")
	if err != nil || len(files) != 7 {
		t.Fatalf("%d archives, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all, err := walkCpioBytes(data, kitBudget(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			for i := range all {
				all[i].name = strings.TrimPrefix(all[i].name, "./")
			}
			if len(all) != 11 {
				t.Errorf("%d members", len(all))
			}
			kitCheck(t, all, "postinstall", "", "bash script\n")
			kitCheck(t, all, "Library/LaunchAgents/a.plist", "", strings.Repeat("x", 3001))
			kitCheck(t, all, "Library/LaunchAgents", RoleFolder, "")
			kitCheck(t, all, "empty", "", "")
			kitCheck(t, all, "apps", RoleLink, "/Applications")
			kitCheck(t, all, "Prüfung ok.txt", "", "ü")
			kitCheck(t, all, strings.Repeat("n", 200), "", "long")
			checkCpioLinks(t, all)
		})
	}
}

// checkCpioLinks demands that one name has the content, and the other has it
// too or is a link to it.
func checkCpioLinks(t *testing.T, all []kitSeen) {
	t.Helper()
	a, b := kitFind(t, all, "odd"), kitFind(t, all, "odd2")
	content := kitSum("odd")
	if a.sum != content && b.sum != content {
		t.Errorf("neither name has the content: %+v %+v", a, b)
	}
	if a.role == RoleLink && b.role == RoleLink {
		t.Error("both names are links")
	}
	for _, s := range []kitSeen{a, b} {
		if s.role == "" && s.sum != content {
			t.Errorf("%q is a file without its content", s.name)
		}
	}
}

// makeCpio writes an archive in the portable ASCII format, which is what
// installer packages hold.
func makeCpio(files []kitFile) []byte {
	var out bytes.Buffer
	for i, f := range append(files, kitFile{name: cpioTrailer}) {
		mode := f.mode
		if mode == 0 {
			mode = 0o100644
		}
		fmt.Fprintf(&out, "070707%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o%s\x00%s",
			1, i+1, mode, 0, 0, 1, 0, 0, len(f.name)+1, len(f.data), f.name, f.data)
	}
	return out.Bytes()
}

func TestCpioNamesStayAsTheyAre(t *testing.T) {
	data := makeCpio([]kitFile{{name: "../../etc/x", data: "1"}, {name: "a\x1b[2Jb\xff", data: "2"}, {name: "dev", data: "3", mode: 0o020644}})
	all, err := walkCpioBytes(data, kitBudget(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	kitCheck(t, all, "../../etc/x", "", "1")
	kitCheck(t, all, "a\x1b[2Jb\uFFFD", "", "2")
	kitCheck(t, all, "dev", "", "3")
}

func TestCpioCutShort(t *testing.T) {
	data := makeCpio([]kitFile{{name: "a", data: "12345"}, {name: "b", data: "67890"}})
	for n := range data {
		all, err := walkCpioBytes(data[:n], kitBudget(n))
		if err == nil {
			t.Fatalf("%d of %d bytes: no error, %v", n, len(data), all)
		}
		if n >= cpioMagic && !errors.Is(err, errCpioShort) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	all, _ := walkCpioBytes(data[:len(data)-90], kitBudget(len(data)))
	if len(all) != 2 || all[0].err != nil || all[1].err == nil {
		t.Errorf("the cut member is no error: %+v", all)
	}
}

func TestCpioBudget(t *testing.T) {
	data := makeCpio([]kitFile{{name: "a", data: strings.Repeat("1", 1000)}, {name: "b"}})
	var limit *LimitError
	budget := kitBudget(len(data))
	budget.Entries = 1
	if _, err := walkCpioBytes(data, budget); !errors.As(err, &limit) {
		t.Errorf("two entries where one is allowed: %v", err)
	}
	budget = kitBudget(len(data))
	budget.Bytes = 500
	if _, err := walkCpioBytes(data, budget); !errors.As(err, &limit) {
		t.Errorf("more bytes than allowed: %v", err)
	}
}

func FuzzCpio(f *testing.F) {
	files, _ := filepath.Glob("testdata/cpio/*.cpio")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(makeCpio([]kitFile{{name: "a", data: "b"}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		budget := kitBudget(len(data))
		budget.Bytes = 1 << 20
		walkCpioBytes(data, budget)
		if budget.Bytes < -(1 << 20) {
			t.Errorf("budget exceeded by %d bytes", -budget.Bytes)
		}
	})
}
