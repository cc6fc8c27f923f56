package inspect

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"strings"

	"meetguard"
)

const (
	maxMembers  = 16       // of the outer archive: dpkg writes three
	maxTarFiles = 64       // of the control archive
	maxControl  = 64 << 10 // bytes of the control file
)

// debClaims reads the package name, the maintainer and the first line of the
// description in the control file of a Debian package (deb(5)).
func debClaims(data []byte, c *collector) error {
	packed, err := controlArchive(data)
	if err != nil {
		return err
	}
	control, err := controlFile(packed)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(control)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(key) { // of further lines, which begin with space, none is a key
		case "package", "maintainer", "description":
			c.claim(meetguard.ClaimPackageName, value)
		}
	}
	return nil
}

// controlArchive finds the member control.tar of an ar archive.
func controlArchive(data []byte) (body []byte, err error) {
	left := maxMembers
	var fault error
	err = Ar(data, func(name string, content []byte) bool {
		if name == "control.tar" || strings.HasPrefix(name, "control.tar.") {
			body, fault = content, compressedAsNamed(name, content)
		}
		left--
		return body == nil && left > 0
	})
	if err == nil && body == nil {
		err = malformed("control archive is missing")
	}
	return body, errors.Join(err, fault)
}

// compressedAsNamed holds a control archive to its name: dpkg decompresses it
// by that, so another content is nothing that dpkg would read.
func compressedAsNamed(name string, packed []byte) error {
	for ext, c := range map[string]struct{ magic, name string }{".gz": {magicGzip, "gzip"}, ".xz": {magicXz, "xz"}, ".zst": {magicZstd, "zstd"}, ".tar": {}} {
		if path.Ext(name) != ext {
			continue
		}
		if !starts(packed, c.magic) {
			return malformed(c.name + " stream is malformed")
		}
		return nil
	}
	return malformed("control archive is compressed in an unusual way")
}

// controlFile reads the file control of a control archive.
func controlFile(packed []byte) (content []byte, err error) {
	// The decompressors of other projects are trusted to bound their memory
	// as they are told to, but not to be free of panics.
	defer func() {
		if r := recover(); r != nil {
			content, err = nil, malformed("decompressor panicked")
		}
	}()
	if len(packed) > maxDocument {
		return nil, malformed("control archive is too large")
	}
	r, err := Decompress(packed, maxWindow)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	files := tar.NewReader(io.LimitReader(r, 4*maxDocument))
	for range maxTarFiles {
		h, err := files.Next()
		if err != nil {
			return nil, malformed("control archive is damaged or has no control file")
		}
		if path.Clean(h.Name) == "control" {
			return readLimited(files, maxControl)
		}
	}
	return nil, malformed("control archive has too many files")
}
