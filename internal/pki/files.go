package pki

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// FileName is the CA's file: the certificate that signs, older ones that still
// count, and the key. One file, so that key and certificate always fit. An
// operator may put a CA of his own there.
const FileName = "ca.pem"

// maxFile bounds the files that are read here, in bytes.
const maxFile = 1 << 20

// Open loads the CA in the folder, or makes one if there is none; created says
// so. Collectors that share the folder and start together end up with one CA.
func Open(dir string) (a *Authority, created bool, err error) {
	if a, err = Load(dir); !errors.Is(err, fs.ErrNotExist) {
		return a, false, err
	}
	if a, err = Create(dir); errors.Is(err, fs.ErrExist) {
		a, err = Load(dir)
		return a, false, err
	}
	return a, err == nil, err
}

// Create makes a new CA in the folder, which it makes too, for its owner only.
// It never replaces one: the error is fs.ErrExist then.
func Create(dir string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of the CA: %w", err)
	}
	root, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	text, err := Generate(time.Now())
	if err != nil {
		return nil, err
	}
	if err := writeNew(root, FileName, text); err != nil {
		return nil, fmt.Errorf("keep CA: %w", err)
	}
	return parseAuthority(text, time.Now())
}

// Load reads the CA in the folder. The error is fs.ErrNotExist if there is none.
// A file that others may read, or a link, is refused.
func Load(dir string) (*Authority, error) {
	path := filepath.Join(dir, FileName)
	root, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	data, err := readSecret(root, FileName)
	if err != nil {
		return nil, fmt.Errorf("read CA %s: %w", path, err)
	}
	a, err := parseAuthority(data, time.Now())
	if err != nil {
		return nil, fmt.Errorf("read CA %s: %w", path, err)
	}
	return a, nil
}

// openFolder refuses a folder that is itself a link: somebody else might decide
// where it leads.
func openFolder(dir string) (*os.Root, error) {
	info, err := os.Lstat(filepath.Clean(dir))
	if err != nil {
		return nil, fmt.Errorf("open folder of the CA: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open folder of the CA %s: it is a link or no folder; give the folder itself", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder of the CA: %w", err)
	}
	return root, nil
}

// writeNew makes a file that is whole when it gets its name, and fails if there
// is one of that name.
func writeNew(root *os.Root, name string, data []byte) error {
	tmp := name + "." + rand.Text() + ".tmp" // of this collector alone
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer root.Remove(tmp)
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := root.Link(tmp, name); err != nil { // unlike a rename it replaces nothing
		return err
	}
	return syncFolder(root)
}

// readSecret reads a regular file that only its owner may read.
func readSecret(root *os.Root, name string) ([]byte, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, errors.New("it is a link or no regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !os.SameFile(before, info):
		return nil, errors.New("it was replaced meanwhile")
	case info.Size() > maxFile:
		return nil, errors.New("it is too large")
	}
	if err := private(info); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

func parseAuthority(data []byte, now time.Time) (*Authority, error) {
	certs, key, err := parsePEM(data)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, errors.New("it holds no private key")
	}
	return newAuthority(key, certs, now)
}

// parsePEM reads certificates and at most one key, and nothing else.
func parsePEM(data []byte) (certs []*x509.Certificate, key crypto.Signer, err error) {
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		switch {
		case block.Type == "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, nil, err
			}
			certs = append(certs, c)
		case key != nil:
			return nil, nil, fmt.Errorf("it holds something besides certificates and a key: %q", block.Type)
		default:
			if key, err = parseKey(block); err != nil {
				return nil, nil, err
			}
		}
	}
	if len(bytes.TrimSpace(data)) > 0 {
		return nil, nil, errors.New("it holds text that is no PEM")
	}
	return certs, key, nil
}

func parseKey(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("it holds a block of unknown type %q", block.Type)
	}
	if err != nil {
		return nil, errors.New("its private key cannot be read; it must be PEM without a passphrase")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("its private key cannot sign")
	}
	return signer, nil
}

// ReadBundle reads a PEM file with certificates and nothing else.
func ReadBundle(path string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	certs, key, err := parsePEM(data)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case key != nil:
		return nil, fmt.Errorf("read %s: it holds a private key, which does not belong there", path)
	case len(certs) == 0:
		return nil, fmt.Errorf("read %s: it holds no certificate", path)
	}
	return certs, nil
}

// Generate makes a new CA in the form of FileName, for collectors that share one
// by their store.
func Generate(now time.Time) ([]byte, error) {
	key, der, err := makeCA(now)
	if err != nil {
		return nil, fmt.Errorf("make CA: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make CA: %w", err)
	}
	var text bytes.Buffer
	writeCert(&text, der)
	text.Write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return text.Bytes(), nil
}

// Parse reads what Generate made, or the contents of FileName.
func Parse(data []byte, now time.Time) (*Authority, error) { return parseAuthority(data, now) }
