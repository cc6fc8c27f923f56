package agent

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"meetguard"
	"meetguard/internal/watch"
	"meetguard/internal/worker"
)

// maxBundleFiles bounds how many files of a bundle are looked at.
const maxBundleFiles = 400

// bundle joins the facts of a bundle's parts: who it says it is (Info.plist, its
// icon), who signed it as a whole, what the scripts in it do.
func (in *Inspector) bundle(ctx context.Context, dir string) meetguard.Facts {
	f := meetguard.Facts{Path: dir, Format: meetguard.FormatApp, Signature: meetguard.Signature{Status: meetguard.SignatureUnknown},
		Claims: []meetguard.Claim{{Text: filepath.Base(dir), Source: meetguard.ClaimFileName}}}
	names := in.bundleNames(ctx, dir, &f)
	parts, more := bundleFiles(dir)
	for _, p := range parts {
		part, _ := in.file(ctx, p)
		rel, _ := filepath.Rel(dir, p)
		f.Size += part.Size
		if part.Format == meetguard.FormatMachO && filepath.Base(filepath.Dir(p)) == "MacOS" && (f.SHA256 == "" || filepath.Base(p) == names.executable) {
			f.SHA256, f.Signature = part.SHA256, part.Signature
			if names.executable == "" {
				names.executable = filepath.Base(p)
			}
		}
		part.Path = rel
		keep(&f, withoutBrandClaims(part))
	}
	if f.SHA256 != "" {
		in.verifyBundle(ctx, dir, names, &f)
	} else if f.Signature.Status == meetguard.SignatureUnknown && len(f.Gaps) == 0 {
		f.Gaps = append(f.Gaps, meetguard.Gap{Fact: "signature", Reason: "the bundle has no main program that carries one"})
	}
	if more {
		f.Gaps = append(f.Gaps, blinding("members", fmt.Sprintf("the bundle has more than %d files worth a look", maxBundleFiles)))
	}
	return f
}

// bundleNames are what Info.plist calls the parts of a bundle: base names.
type bundleNames struct{ executable, icon string }

func (in *Inspector) bundleNames(ctx context.Context, dir string, f *meetguard.Facts) bundleNames {
	plist, err := in.open(filepath.Join(dir, "Contents", "Info.plist"))
	if err != nil {
		return bundleNames{}
	}
	o := &opened{file: plist}
	defer o.close()
	r, err := in.ask(ctx, request{Op: opPlist}, o)
	if err != nil {
		return bundleNames{}
	}
	f.Claims, f.Gaps = append(f.Claims, r.Facts.Claims...), append(f.Gaps, r.Facts.Gaps...)
	return namesOf(r.Executable, r.Icon)
}

func namesOf(executable, icon string) bundleNames {
	names := bundleNames{baseName(executable), baseName(icon)}
	if names.icon != "" && filepath.Ext(names.icon) == "" {
		names.icon += ".icns"
	}
	return names
}

// baseName makes a file name of hostile text, "" if it is none.
func baseName(text string) string {
	if name := filepath.Base(text); name != "." && name != ".." && name != string(filepath.Separator) {
		return name
	}
	return ""
}

// verifyBundle asks for the signature of the bundle as a whole: that of its main
// program over Info.plist and the list of resources, and over as many of these
// as travel with one request.
func (in *Inspector) verifyBundle(ctx context.Context, dir string, names bundleNames, f *meetguard.Facts) {
	contents := filepath.Join(dir, "Contents")
	special := []string{"MacOS/" + names.executable, appPlist, appResources, appTicket}
	if names.icon != "" {
		special = append(special, "Resources/"+names.icon)
	}
	req := request{Op: opApp, Name: []byte(names.executable), All: true}
	var files []*opened
	defer func() {
		for _, o := range files {
			o.close()
		}
	}()
	add := func(rel string) error {
		file, err := in.open(filepath.Join(contents, filepath.FromSlash(rel)))
		if err != nil {
			return err
		}
		fi, err := file.Stat()
		if err != nil || !fi.Mode().IsRegular() {
			file.Close()
			return fmt.Errorf("%s is no regular file", rel)
		}
		files = append(files, &opened{file: file, id: watch.IdentityOf(fi)})
		req.Items = append(req.Items, request{Name: []byte(rel)})
		return nil
	}
	for _, rel := range special {
		if err := add(rel); err != nil && !os.IsNotExist(err) {
			f.Gaps = append(f.Gaps, blinding("signature", "a part of the bundle could not be read: "+reason(err)))
			return
		}
	}
	for _, e := range bundleEntries(contents) {
		switch {
		case contains(special, e.rel):
		case e.link != "":
			req.Items = append(req.Items, request{Name: []byte(e.rel), Link: e.link})
		case len(files) >= worker.MaxFiles || add(e.rel) != nil:
			req.All = false
		}
	}
	r, err := in.ask(ctx, req, files...)
	if err != nil {
		f.Gaps = append(f.Gaps, blinding("signature", reason(err)))
		return
	}
	for _, o := range files {
		if o.moved() {
			f.Gaps = append(f.Gaps, blinding("signature", "the bundle changed while it was read"))
			return
		}
	}
	f.Signature = r.Facts.Signature
	f.Claims, f.Gaps = append(f.Claims, r.Facts.Claims...), append(f.Gaps, r.Facts.Gaps...)
}

// bundleEntry is a file or link below Contents, with slashes.
type bundleEntry struct{ rel, link string }

// maxBundleEntries bounds the list of a bundle's files.
const maxBundleEntries = 8000

// bundleEntries lists a bundle. What nested bundles and frameworks hold is
// covered by signatures of their own.
func bundleEntries(contents string) []bundleEntry {
	var out []bundleEntry
	_ = filepath.WalkDir(contents, func(p string, d fs.DirEntry, err error) error {
		if err != nil || len(out) >= maxBundleEntries {
			return nil
		}
		rel, _ := filepath.Rel(contents, p)
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && p != contents && nestedBundle(d.Name()):
			return fs.SkipDir
		case d.Type().IsRegular():
			out = append(out, bundleEntry{rel: rel})
		case d.Type()&fs.ModeSymlink != 0:
			if to, err := os.Readlink(p); err == nil {
				out = append(out, bundleEntry{rel, clipText(to, maxText)})
			}
		}
		return nil
	})
	return out
}

func nestedBundle(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".app", ".framework", ".bundle", ".xpc", ".appex", ".plugin", ".kext":
		return true
	}
	return false
}

// withoutBrandClaims: the bundle claims as a whole; its helpers carry its name
// and their own signatures, which are judged by their content only.
func withoutBrandClaims(part meetguard.Facts) meetguard.Facts {
	if part.Format == meetguard.FormatMachO {
		part.Claims = nil
	}
	return part
}

// runsInBundle tells the programs and scripts of a bundle by their paths, with
// slashes.
func runsInBundle(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".scpt", ".applescript", ".sh", ".command", ".py", ".zsh", ".tool", ".scptd", ".app":
		return true
	}
	switch base := strings.ToLower(path.Base(p)); base {
	case "document.wflow", "preinstall", "postinstall", "preflight", "postflight", "preupgrade", "postupgrade", "installationcheck", "volumecheck":
		return true
	}
	switch folder := path.Base(path.Dir(p)); folder {
	case "MacOS", "Scripts":
		return true
	case "Resources": // scripts by other names: programs have their data elsewhere
		return strings.ToLower(path.Ext(p)) == ".dat" || path.Ext(p) == ""
	case "app": // the main process of a program made with Electron
		return strings.HasSuffix(p, ".js")
	case "LaunchAgents", "LaunchDaemons", "LoginItems":
		return strings.HasSuffix(p, ".plist")
	}
	return false
}

// bundleFiles lists the programs and scripts of a bundle, sorted.
func bundleFiles(dir string) (files []string, more bool) {
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !runsInBundle(filepath.ToSlash(p)) {
			return nil
		}
		if len(files) >= maxBundleFiles {
			more = true
			return fs.SkipAll
		}
		files = append(files, p)
		return nil
	})
	sort.Strings(files)
	return files, more
}
