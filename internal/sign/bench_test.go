package sign

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"meetguard"
)

// largePE is plainPE with a section of n bytes.
func largePE(n int) []byte {
	b := append(plainPE()[:512], bytes.Repeat([]byte("meeting "), n/8)...)
	section := 128 + 24 + 240
	binary.LittleEndian.PutUint32(b[section+16:], uint32(n))
	return b
}

// BenchmarkPE compares the check of a signed program of 100 MB with its bare
// SHA-256. Page digests are a second digest of the same bytes.
func BenchmarkPE(b *testing.B) {
	const size = 100 << 20
	p := newPeople(b)
	v := newVerifier(b, p.ca)
	for _, pages := range []bool{false, true} {
		name := map[bool]string{false: "signed", true: "with page digests"}[pages]
		plain := largePE(size)
		file := withTable(plain, entryAt, certEntry(certTypePKCS, sealPEWith(b, p.good, plain, crypto.SHA256, pages).der(b)))
		path := filepath.Join(b.TempDir(), "large.exe")
		must(b, os.WriteFile(path, file, 0o600))
		length := int64(len(file))
		plain, file = nil, nil
		f, err := os.Open(path)
		must(b, err)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(length)
			b.ReportAllocs()
			for b.Loop() {
				if sig, gaps := v.Verify(f, length, meetguard.FormatPE, today); sig.Status != valid {
					b.Fatalf("got %+v, gaps %v", sig, gaps)
				}
			}
		})
		b.Run(name+", SHA-256 alone", func(b *testing.B) {
			b.SetBytes(length)
			for b.Loop() {
				h := sha256.New()
				buf := make([]byte, copyBuffer)
				_, err := io.CopyBuffer(struct{ io.Writer }{h}, io.NewSectionReader(f, 0, length), buf)
				must(b, err)
			}
		})
		must(b, f.Close())
	}
}
