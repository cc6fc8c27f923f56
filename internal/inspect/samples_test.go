package inspect

import (
	"path/filepath"
	"slices"
	"testing"

	"meetguard"
)

// TestSamples reads programs that other people built.
func TestSamples(t *testing.T) {
	const folder = "../../build/samples"
	if found, _ := filepath.Glob(folder + "/*"); len(found) == 0 {
		t.Fatal("no real samples in build/samples: run `make samples`")
	}
	for _, c := range []struct{ path, want string }{
		{"electron-winstaller-*/package/vendor/signtool.exe", "PE ProductName: Microsoft® Windows® Operating System"},
		{"electron-winstaller-*/package/vendor/7z-x64.exe", "PE CompanyName: Igor Pavlov"},
		{"node-pty-*/package/prebuilds/win32-arm64/conpty/conpty.dll", "PE FileDescription: ConPTY Interface Library"},
		{"vscode-vsce-sign-darwin-*/package/bin/vsce-sign", ""},
	} {
		paths, err := filepath.Glob(filepath.Join(folder, c.path))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data := readFile(t, path)
			format := Sniff(path, data)
			claims, gaps := Claims(format, data)
			if c.want == "" && (format != meetguard.FormatMachO || len(claims) > 0) || c.want != "" && !slices.Contains(claimLines(claims), c.want) || len(gaps) > 0 {
				t.Errorf("%s is %s, claims %q, gaps %v", c.path, format, claimLines(claims), gaps)
			}
		}
	}
}
