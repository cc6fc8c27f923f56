package agent

import (
	"io"
	"os"
	"path"
	"strings"

	"meetguard"
	"meetguard/internal/sign"
)

// The parts of an app bundle that its signature is made of, below Contents.
const (
	appPlist     = "Info.plist"
	appResources = "_CodeSignature/CodeResources"
	appTicket    = "CodeResources"
)

// maxAppPart bounds what is read of one of them, in bytes: larger ones are no
// signatures but attempts on memory.
const maxAppPart = 16 << 20

// app judges the signature of an app bundle, and its icon. The items of the
// request are the files of the bundle, in the order of the descriptors.
func (ex *Examiner) app(req request, src *sources) reply {
	r := reply{Facts: unknownFacts()}
	f := &r.Facts
	f.Format = meetguard.FormatApp
	b := sign.Bundle{Program: "MacOS/" + string(req.Name), Files: []sign.BundleFile{}, All: req.All}
	var icon []byte
	for _, item := range req.Items {
		rel := string(item.Name)
		if item.Link != "" {
			b.Files = append(b.Files, sign.BundleFile{Path: rel, Link: item.Link})
			continue
		}
		if len(src.files) == 0 {
			return reply{Failed: "a file of the bundle did not come with the request"}
		}
		file := src.files[0]
		src.files = src.files[1:]
		fi, err := file.Stat()
		if err != nil {
			return reply{Failed: "look at a file of the bundle: " + err.Error()}
		}
		b.Files = append(b.Files, sign.BundleFile{Path: rel, Size: fi.Size(), Open: reader(file, fi.Size())})
		switch {
		case rel == b.Program:
			b.Executable, b.Size = file, fi.Size()
		case rel == appPlist:
			b.InfoPlist, err = readPart(file, fi.Size())
		case rel == appResources:
			b.Resources, err = readPart(file, fi.Size())
		case rel == appTicket:
			b.Ticket, err = readPart(file, fi.Size())
		case path.Dir(rel) == "Resources" && strings.HasSuffix(strings.ToLower(rel), ".icns") && icon == nil:
			icon, err = readPart(file, fi.Size())
		}
		if err != nil {
			f.Gaps = append(f.Gaps, blinding("signature", "a part of the bundle could not be read: "+err.Error()))
			return r
		}
	}
	ex.judgeApp(f, b, icon)
	return r
}

// judgeApp adds what the signature of a bundle proves, and whose logo its icon
// is.
func (ex *Examiner) judgeApp(f *meetguard.Facts, b sign.Bundle, icon []byte) {
	if b.Executable == nil {
		f.Gaps = append(f.Gaps, meetguard.Gap{Fact: "signature", Reason: "the bundle has no main program that carries one"})
		return
	}
	stage(f, "names", false, func() {
		claims, gaps := ex.logos.IconClaims(icon)
		f.Claims, f.Gaps = append(f.Claims, claims...), append(f.Gaps, gaps...)
	})
	stage(f, "signature", true, func() {
		var gaps []meetguard.Gap
		f.Signature, gaps = ex.verifier.VerifyApp(b, ex.now())
		f.Gaps = append(f.Gaps, gaps...)
	})
	if f.Signature.SigningID != "" {
		f.Claims = append(f.Claims, meetguard.Claim{Text: f.Signature.SigningID, Source: meetguard.ClaimSigningID})
	}
	bound(f)
}

func reader(file *os.File, size int64) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(file, 0, size)), nil }
}

// readPart reads a whole file. An empty one is there, which nil is not.
func readPart(file *os.File, size int64) ([]byte, error) {
	if size > maxAppPart {
		return nil, errTooLarge
	}
	data := make([]byte, size)
	_, err := io.ReadFull(io.NewSectionReader(file, 0, size), data)
	return data, err
}
