package meetguard

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// mayImport is the import law: the packages of this module that each package
// may know. The star has pure types in the middle; internal/agent and
// internal/collect join. Changing this table is an architecture decision.
var mayImport = map[string][]string{
	"meetguard":                   {},
	"meetguard/signatures":        {"meetguard"},
	"meetguard/internal/watch":    {"meetguard"},
	"meetguard/internal/inspect":  {"meetguard"},
	"meetguard/internal/script":   {"meetguard"},
	"meetguard/internal/sign":     {"meetguard"},
	"meetguard/internal/yarascan": {"meetguard"},
	"meetguard/internal/worker":   {"meetguard"},
	"meetguard/internal/unpack":   {"meetguard"},
	"meetguard/internal/detect":   {"meetguard"},
	"meetguard/internal/chain":    {"meetguard"},
	"meetguard/internal/alert":    {"meetguard"},
	"meetguard/internal/config":   {"meetguard"},
	"meetguard/internal/health":   {"meetguard"},
	"meetguard/internal/store":    {"meetguard"},
	"meetguard/internal/pki":      {"meetguard"},
	"meetguard/internal/people":   {"meetguard"},
	"meetguard/internal/exits":    {"meetguard"},
	"meetguard/internal/device":   {"meetguard"},
	"meetguard/internal/collect": {"meetguard", "meetguard/internal/store", "meetguard/internal/pki", "meetguard/internal/people",
		"meetguard/internal/exits"},
	"meetguard/internal/owner":   {"meetguard"},
	"meetguard/internal/opinion": {"meetguard"},
	"meetguard/internal/sigma":   {"meetguard"},
	"meetguard/internal/desktop": {"meetguard"},
	"meetguard/internal/box":     {"meetguard"},
	"meetguard/internal/agent": {"meetguard", "meetguard/signatures", "meetguard/internal/watch", "meetguard/internal/inspect",
		"meetguard/internal/script", "meetguard/internal/sign", "meetguard/internal/yarascan", "meetguard/internal/worker", "meetguard/internal/unpack",
		"meetguard/internal/detect", "meetguard/internal/chain", "meetguard/internal/alert", "meetguard/internal/config",
		"meetguard/internal/owner", "meetguard/internal/opinion", "meetguard/internal/sigma", "meetguard/internal/device", "meetguard/internal/health",
		"meetguard/internal/desktop", "meetguard/internal/box"},
	"meetguard/docs":      {},
	"meetguard/installer": {},

	"meetguard/signatures/pack":           {},                             // run by go generate
	"meetguard/signatures/icons/generate": {"meetguard/internal/inspect"}, // run by hand

	"meetguard/scripts/sbom":   {}, // run by make dist
	"meetguard/scripts/vulndb": {}, // run by make vulncheck

	"meetguard/cmd/agent":     {"meetguard", "meetguard/installer", "meetguard/internal/box", "meetguard/internal/desktop", "meetguard/signatures", "meetguard/internal/agent", "meetguard/internal/alert", "meetguard/internal/config", "meetguard/internal/device", "meetguard/internal/health"},
	"meetguard/cmd/collector": {"meetguard", "meetguard/internal/collect", "meetguard/internal/store"},
}

type listed struct {
	ImportPath, Doc string
	Imports         []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportLaw(t *testing.T) {
	pkgs := packages(t)
	if len(pkgs) < len(mayImport) {
		t.Errorf("go list found %d packages, the law names %d", len(pkgs), len(mayImport))
	}
	for _, p := range pkgs {
		allowed, known := mayImport[p.ImportPath]
		if !known {
			t.Errorf("%s is not in the import law: add it on purpose", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if imp != "meetguard" && !strings.HasPrefix(imp, "meetguard/") {
				continue
			}
			if !contains(allowed, imp) {
				t.Errorf("%s may not import %s", p.ImportPath, imp)
			}
		}
		if p.ImportPath == "meetguard/internal/detect" {
			for _, imp := range p.Imports {
				if contains([]string{"os", "net", "time", "log/slog", "os/exec", "net/http"}, imp) {
					t.Errorf("internal/detect is pure and may not import %s", imp)
				}
			}
		}
		if p.ImportPath == "meetguard" && len(p.Imports) != 1 {
			t.Errorf("the root package holds types only and imports time alone, it imports %v", p.Imports)
		}
	}
}

func TestPackageDocs(t *testing.T) {
	for _, p := range packages(t) {
		if strings.TrimSpace(p.Doc) == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
